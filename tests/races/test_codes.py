"""Codes that are asked for, replaced and guessed by many at once."""

from datetime import datetime
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.attribution import services
from app.attribution.codes import live_code
from app.attribution.errors import CodeRevoked, CodesLocked, CodeUnknown
from app.attribution.models import Channel, ChannelKind, CodeMiss, ShareCode
from app.attribution.services import ChannelChoice
from app.kernel.audit import Actor
from app.kernel.db import atomic, db
from app.kernel.ids import random_text
from app.settings import Settings
from tests.factories.people import make_distributor, make_member, make_share_code
from tests.races.crowd import at_once

pytestmark = pytest.mark.commits
GROUP = ChannelChoice("阳光花园业主群", ChannelKind.GROUP)


def test_ten_who_ask_at_once_get_the_same_code(app: Flask, session: Session, now: datetime) -> None:
    owner_id = make_distributor(session).member_id
    session.commit()

    def ask() -> str:
        with atomic() as inner:
            return services.issue_code(
                inner, distributor_id=owner_id, channel=GROUP, page="pages/index", now=now
            ).code

    answers = at_once(app, *[ask] * 10)

    session.rollback()
    only = session.scalars(sa.select(ShareCode)).one()
    assert answers == [only.code] * 10
    assert len(session.scalars(sa.select(Channel)).all()) == 1


def test_a_code_replaced_by_five_at_once_is_replaced_once(
    app: Flask, session: Session, now: datetime
) -> None:
    old = make_share_code(session)
    old_id, owner_id = old.id, old.distributor_id
    session.commit()

    def replace() -> str:
        with atomic() as inner:
            return services.regenerate_code(
                inner, old_id, owner_id=owner_id, actor=Actor("member", owner_id), now=now
            ).code

    answers = at_once(app, *[replace] * 5)

    session.rollback()
    live = session.scalars(sa.select(ShareCode).where(ShareCode.revoked_at.is_(None))).one()
    assert answers.count(live.code) == 1
    assert answers.count(CodeRevoked.code) == 4


def test_misses_at_once_are_all_counted(
    app: Flask, session: Session, settings: Settings, now: datetime
) -> None:
    member_id = make_member(session).id
    session.commit()

    def guess(text: str) -> int:
        with services.counting_misses(
            member_id=member_id, ip="203.0.113.7", settings=settings, now=now
        ):
            found = live_code(db.session(), text).id
        db.session.rollback()
        return found

    answers = at_once(app, *[partial(guess, random_text(22)) for _ in range(4)])

    session.rollback()
    assert answers == [CodeUnknown.code] * 4
    counted = session.scalars(sa.select(CodeMiss.misses)).all()
    assert list(counted) == [4, 4]
    with pytest.raises(CodeUnknown):
        guess(random_text(22))
    with pytest.raises(CodesLocked):
        guess(random_text(22))

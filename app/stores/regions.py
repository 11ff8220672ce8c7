"""Regions: groups of stores, which are also where staff may act."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.stores.errors import RegionInUse, RegionNameInvalid, RegionNameTaken, RegionNotFound
from app.stores.models import Region

NAME_LENGTH_MAX: Final = 60


def create_region(session: Session, *, name: str, actor: Actor, now: datetime) -> Region:
    """Make a region without stores. Raises `RegionNameInvalid`, `RegionNameTaken`."""
    region = Region(name=_checked(name))
    with _writing(session, RegionNameTaken()):
        session.add(region)
    change = Change(after={"name": region.name})
    audit.record(session, actor, "region_created", Subject("region", region.id), change, now=now)
    return region


def rename_region(
    session: Session, region_id: int, *, name: str, actor: Actor, now: datetime
) -> Region:
    """Call a region something else.

    Raises `RegionNotFound`, `RegionNameInvalid`, `RegionNameTaken`.
    """
    wanted = _checked(name)
    region = _locked(session, region_id)
    change = Change({"name": region.name}, {"name": wanted})
    with _writing(session, RegionNameTaken()):
        region.name = wanted
    audit.record(session, actor, "region_renamed", Subject("region", region.id), change, now=now)
    return region


def delete_region(session: Session, region_id: int, *, actor: Actor, now: datetime) -> None:
    """Remove a region that nobody and nothing belongs to. Raises `RegionNotFound`, `RegionInUse`.

    That it is in use is known by the references to it, whichever tables have them.
    """
    region = _locked(session, region_id)
    change = Change(before={"name": region.name})
    with _writing(session, RegionInUse()):
        session.delete(region)
    audit.record(session, actor, "region_deleted", Subject("region", region_id), change, now=now)


def _checked(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise RegionNameInvalid
    return name


@contextmanager
def _writing(session: Session, refusal: Exception) -> Iterator[None]:
    try:
        with session.begin_nested():
            yield
            session.flush()
    except IntegrityError as error:
        raise refusal from error


def _locked(session: Session, region_id: int) -> Region:
    region = session.scalar(
        sa.select(Region)
        .where(Region.id == region_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if region is None:
        raise RegionNotFound
    return region

import io
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session

from app.interactions import reviews
from app.interactions.errors import (
    InteractionNotFound,
    ReviewEdited,
    ReviewExists,
    ReviewNotAllowed,
    TextUnfit,
    TooManyPictures,
)
from app.interactions.review_models import Review, ReviewPicture
from app.interactions.reviews import Opinion, Rating
from app.interactions.states import ReviewState
from app.kernel.audit import Actor, AuditRecord
from app.kernel.outbox import OutboxEvent
from app.kernel.pictures import PictureUnreadable
from app.members.errors import ReasonRequired
from app.orders.states import OrderState
from app.privacy import erasure
from app.settings import Settings
from app.wechat.errors import ContentRefused
from scripts.sandbox.client import SandboxClient
from tests.factories.interactions import actor_of, make_picture, make_review
from tests.factories.orders import make_order
from tests.factories.people import NOON, make_member, make_staff

GOOD = Opinion(stars=5, text="Quiet and kind")


@pytest.fixture
def actor(session: Session) -> Actor:
    return actor_of(make_staff(session))


@dataclass(frozen=True)
class Bought:
    member_id: int
    line_id: int
    product_id: int
    store_id: int


def received(
    session: Session, sandbox: SandboxClient, state: OrderState = OrderState.COMPLETED
) -> Bought:
    member = make_member(session, openid=sandbox.user())
    order = make_order(session, member=member, state=state)
    line = order.lines[0]
    bought = Bought(member.id, line.id, line.product_id, order.store_id)
    session.commit()
    return bought


def write(
    order: Bought, opinion: Opinion = GOOD, *, settings: Settings, now: datetime = NOON
) -> int:
    return reviews.write(order.member_id, order.line_id, opinion, settings=settings, now=now)


def only(session: Session) -> Review:
    session.expire_all()
    return session.scalars(sa.select(Review)).one()


def picture(kind: str = "PNG") -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (30, 20), (200, 30, 60)).save(drawn, kind)
    return drawn.getvalue()


def test_what_was_received_is_reviewed_once(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    order = received(session, sandbox)

    write(order, settings=settings, now=NOON)
    with pytest.raises(ReviewExists):
        write(order, settings=settings, now=NOON)

    row = only(session)
    assert (row.stars, row.text, row.state) == (5, "Quiet and kind", ReviewState.SHOWN)
    assert (row.product_id, row.store_id) == (order.product_id, order.store_id)


def test_a_doubtful_text_waits_for_staff(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    write(
        received(session, sandbox), Opinion(stars=1, text="doubtful"), settings=settings, now=NOON
    )

    assert only(session).state is ReviewState.WAITING


def test_a_risky_text_is_refused_and_nothing_kept(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    order = received(session, sandbox)

    with pytest.raises(ContentRefused):
        write(order, Opinion(stars=1, text="gambling"), settings=settings, now=NOON)

    assert session.scalars(sa.select(Review)).all() == []


def test_while_wechat_is_silent_a_review_waits_and_is_not_lost(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    order = received(session, sandbox)
    sandbox.fault("/wxa/msg_sec_check", "error_before", times=0)

    write(order, settings=settings, now=NOON)

    assert only(session).state is ReviewState.WAITING


@pytest.mark.parametrize(
    "state", [OrderState.CREATED, OrderState.PAID, OrderState.CLOSED, OrderState.REFUNDED]
)
def test_what_was_not_received_or_given_back_cannot_be_reviewed(
    session: Session, sandbox: SandboxClient, settings: Settings, state: OrderState
) -> None:
    order = received(session, sandbox, state)

    with pytest.raises(ReviewNotAllowed):
        write(order, settings=settings, now=NOON)

    assert session.scalars(sa.select(Review)).all() == []


def test_it_is_too_late_after_the_window(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    order = received(session, sandbox)

    with pytest.raises(ReviewNotAllowed):
        write(order, settings=settings, now=NOON + timedelta(days=90))


def test_what_somebody_else_received_is_not_there(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    order, other = received(session, sandbox), received(session, sandbox)

    for line_id in (order.line_id, 999_999):
        with pytest.raises(InteractionNotFound):
            reviews.write(other.member_id, line_id, GOOD, settings=settings, now=NOON)


@pytest.mark.parametrize("text", ["x" * 501, "a\x00b", "a\u202eb"])
def test_a_text_that_is_no_text_is_refused(
    session: Session, sandbox: SandboxClient, settings: Settings, text: str
) -> None:
    order = received(session, sandbox)

    with pytest.raises(TextUnfit):
        write(order, Opinion(stars=3, text=text), settings=settings, now=NOON)


def test_a_review_is_edited_once(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    order = received(session, sandbox)
    review_id = write(order, settings=settings, now=NOON)

    reviews.edit(order.member_id, review_id, Opinion(stars=2, text="Later: not so"), now=NOON)
    with pytest.raises(ReviewEdited):
        reviews.edit(order.member_id, review_id, GOOD, now=NOON)

    assert (only(session).stars, only(session).edited_at) == (2, NOON)


def test_a_hidden_review_stays_hidden_when_it_is_edited(
    session: Session, sandbox: SandboxClient, settings: Settings, actor: Actor
) -> None:
    order = received(session, sandbox)
    review_id = write(order, settings=settings, now=NOON)
    reviews.hide(session, review_id, reason="insults", actor=actor, now=NOON)
    session.commit()

    reviews.edit(order.member_id, review_id, GOOD, now=NOON)

    assert only(session).state is ReviewState.HIDDEN


def test_hiding_needs_a_reason_and_is_on_record(session: Session, actor: Actor) -> None:
    row = make_review(session, make_order(session, state=OrderState.COMPLETED), stars=1)

    with pytest.raises(ReasonRequired):
        reviews.hide(session, row.id, reason=" ", actor=actor, now=NOON)
    assert row.state is ReviewState.SHOWN
    reviews.hide(session, row.id, reason="Names a colleague", actor=actor, now=NOON)

    record = session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id.desc()).limit(1)).one()
    assert (record.action, record.reason) == ("review_hidden", "Names a colleague")
    reviews.show(session, row.id, actor=actor, now=NOON)
    assert (row.state, row.hidden_reason) == (ReviewState.SHOWN, "")


def test_a_reply_stands_below_and_the_customer_is_told(session: Session, actor: Actor) -> None:
    row = make_review(session, make_order(session, state=OrderState.COMPLETED))

    reviews.reply(session, row.id, text=" Thank you! ", actor=actor, now=NOON)

    assert (row.reply, row.replied_by_id) == ("Thank you!", actor.id)
    assert "review_replied" in set(session.scalars(sa.select(OutboxEvent.name)))


def test_pictures_are_drawn_anew_and_looked_at_first(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    order = received(session, sandbox)
    review_id = write(order, settings=settings, now=NOON)
    handed_in = picture() + b"<script>alert(1)</script>"

    assert reviews.add_picture(order.member_id, review_id, handed_in, now=NOON) == 1

    kept = session.scalars(sa.select(ReviewPicture)).one()
    assert kept.content.startswith(b"\xff\xd8")
    assert b"script" not in kept.content
    assert only(session).state is ReviewState.WAITING


def test_a_new_text_shows_no_picture_that_nobody_looked_at(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    order = received(session, sandbox)
    review_id = write(order, settings=settings, now=NOON)
    reviews.add_picture(order.member_id, review_id, picture(), now=NOON)

    reviews.edit(order.member_id, review_id, Opinion(stars=4, text="Kind"), now=NOON)

    kept = only(session)
    assert (kept.text, kept.state) == ("Kind", ReviewState.WAITING)
    shown = session.scalars(sa.select(ReviewPicture.id)).one()
    with pytest.raises(InteractionNotFound):
        reviews.picture(session, shown, viewer_id=make_member(session).id)


def test_a_review_has_six_pictures(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    order = received(session, sandbox)
    review_id = write(order, settings=settings, now=NOON)
    for _ in range(6):
        reviews.add_picture(order.member_id, review_id, picture("JPEG"), now=NOON)

    with pytest.raises(TooManyPictures):
        reviews.add_picture(order.member_id, review_id, picture(), now=NOON)
    assert len(session.scalars(sa.select(ReviewPicture)).all()) == 6


def test_what_is_no_picture_is_refused(
    session: Session, sandbox: SandboxClient, settings: Settings
) -> None:
    order = received(session, sandbox)
    review_id = write(order, settings=settings, now=NOON)

    with pytest.raises(PictureUnreadable):
        reviews.add_picture(order.member_id, review_id, b"GIF89a nonsense", now=NOON)
    assert only(session).state is ReviewState.SHOWN


def test_pictures_of_a_review_that_waits_are_for_its_author(session: Session) -> None:
    order = make_order(session, state=OrderState.COMPLETED)
    row = make_review(session, order, state=ReviewState.WAITING)
    shown = make_picture(session, row)

    assert reviews.picture(session, shown.id, viewer_id=order.member_id) == shown.content
    assert reviews.picture(session, shown.id, viewer_id=None) == shown.content
    with pytest.raises(InteractionNotFound):
        reviews.picture(session, shown.id, viewer_id=make_member(session).id)


def test_ratings_count_what_is_shown(session: Session) -> None:
    orders = [make_order(session, state=OrderState.COMPLETED) for _ in range(2)]
    states = [(5, ReviewState.SHOWN), (2, ReviewState.HIDDEN)]
    for order, (stars, state) in zip(orders, states, strict=True):
        make_review(session, order, stars=stars, state=state)
    third = make_order(session, store=None, state=OrderState.COMPLETED)
    make_review(session, third, stars=4).product_id = orders[0].lines[0].product_id
    session.flush()

    product_id = orders[0].lines[0].product_id
    assert reviews.rating(session, product_id=product_id) == Rating(2, 450)
    assert reviews.rating(session, store_id=orders[1].store_id) == Rating(0, None)


def test_an_erasure_takes_the_words_and_the_pictures(session: Session) -> None:
    order = make_order(session, state=OrderState.SETTLED)
    row = make_review(session, order, stars=4, text="I am Mei")
    make_picture(session, row)

    erasure.erase(session, order.member_id, now=NOON)

    session.expire_all()
    assert (row.text, row.stars, row.is_anonymous) == ("", 4, True)
    assert session.scalars(sa.select(ReviewPicture)).all() == []

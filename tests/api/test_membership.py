from collections.abc import Callable

from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM
from app.kernel.db import db
from app.loyalty import rewards, tasks
from app.loyalty.models import RewardSource, TaskKind
from app.loyalty.rewards import Reward
from app.loyalty.tasks import TaskSpec
from tests.api.conftest import Phone
from tests.factories.membership import LONG_AGO, grow, make_ladder, make_level
from tests.factories.orders import make_product
from tests.factories.people import make_member


def test_a_member_sees_their_level_and_what_the_next_one_lacks(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    _, silver, gold = make_ladder(session)
    member, other = make_member(session), make_member(session)
    now = session.scalar(db.select(db.func.clock_timestamp()))
    assert now is not None
    grow(session, member.id, 1_200, key="a", now=now)
    grow(session, other.id, 9_000, key="b", now=now)
    phone = phone_of(member)

    shown = phone.get("/membership").get_json()
    growth = phone.get("/membership/growth").get_json()
    history = phone.get("/membership/history").get_json()

    assert (shown["level"]["id"], shown["level"]["discount_bp"]) == (silver, 9_500)
    assert (shown["growth"], shown["growth_in_all"], shown["kept_growth"]) == (1_200, 1_200, 0)
    assert (shown["next_level"]["id"], shown["lacking"]) == (gold, 3_800)
    assert [(one["amount"], one["source"]) for one in growth["items"]] == [(1_200, "order")]
    assert [(one["to_level_id"], one["cause"]) for one in history["items"]] == [(silver, "reached")]


def test_without_levels_there_is_none(session: Session, phone_of: Callable[..., Phone]) -> None:
    shown = phone_of(make_member(session)).get("/membership").get_json()

    assert (shown["level"], shown["next_level"], shown["lacking"]) == (None, None, 0)


def test_all_levels_are_shown_but_those_that_were_retired(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    base, silver, gold = make_ladder(session)
    make_level(session, 2, 1_000, level_id=silver, is_retired=True)
    product = make_product(session)
    bought = make_level(session, 9, paid_product_id=product.id, paid_days=365)

    items = phone_of(make_member(session)).get("/membership/levels").get_json()["items"]

    assert [one["id"] for one in items] == [base, gold, bought.id]
    assert (items[2]["product_id"], items[2]["days"]) == (product.id, 365)


def test_tasks_are_shown_with_progress_and_rewards_with_where_they_came_from(
    session: Session, phone_of: Callable[..., Phone]
) -> None:
    spec = TaskSpec(
        kind=TaskKind.FOLLOW,
        title="关注公众号",
        target=2,
        rewards=[Reward.points(10)],
        starts_at=LONG_AGO,
    )
    task = tasks.put_task(session, None, spec, actor=SYSTEM, now=LONG_AGO)
    member = make_member(session)
    tasks.mark_by_hand(session, task.id, member.id, actor=SYSTEM, now=LONG_AGO)
    rewards.give(
        session,
        member.id,
        Reward.points(7),
        key="x",
        source=RewardSource.BIRTHDAY,
        now=LONG_AGO,
    )
    phone = phone_of(member)

    [shown] = phone.get("/membership/tasks").get_json()["items"]
    [given] = phone.get("/membership/rewards").get_json()["items"]

    assert (shown["id"], shown["count"], shown["target"], shown["done_at"]) == (task.id, 1, 2, None)
    assert shown["rewards"] == [{"kind": "points", "amount": 10, "template_id": None}]
    assert (given["amount"], given["source"]) == (7, "birthday")

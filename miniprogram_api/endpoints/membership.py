"""Membership: one's level and what it brings, all levels, growth, tasks, and what was given."""

from datetime import datetime
from typing import Any, Final, Self

from app.kernel.db import db
from app.loyalty import queries as loyalty
from app.loyalty import tasks
from app.loyalty.models import GivenReward, RewardKind, RewardSource, RewardState, TaskKind
from app.loyalty.rewards import Reward, rewards_of
from app.loyalty.tasks import TaskStanding
from app.membership import overview
from app.membership.models import GrowthEntry, LevelMove
from app.membership.overview import Progress
from app.membership.queries import LevelTerms, levels_at
from app.membership.states import GrowthSource, MoveCause
from miniprogram_api.acting import moment
from miniprogram_api.auth import caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.fields import Bilingual, View, example
from miniprogram_api.routing import Group

group = Group("membership", about="Membership: levels, growth, tasks and rewards.")

REWARD: Final[dict[str, Any]] = {"kind": "points", "amount": 100, "template_id": None}
LEVEL: Final[dict[str, Any]] = {
    "id": 2,
    "rank": 2,
    "name": {"zh": "银卡", "en": "Silver"},
    "growth_at_least": 1_000,
    "discount_bp": 9_500,
    "points_multiplier_bp": 12_000,
    "benefits": {"zh": "专属客服", "en": "A contact of one's own"},
    "upgrade_gift": [REWARD],
    "birthday_gift": [REWARD],
    "product_id": None,
    "days": None,
}


class RewardView(View):
    """Something to be given: coupons of a template, points, or growth."""

    kind: RewardKind
    amount: int
    template_id: int | None

    @classmethod
    def of(cls, reward: Reward) -> Self:
        """Show a reward."""
        return cls(kind=reward.kind, amount=reward.amount, template_id=reward.template_id)


class LevelView(View):
    """A level. `discount_bp` of the price is paid, in 1/10000; `growth_at_least` within a year.

    A level with a product is bought: its paid order holds it for so many days.
    """

    model_config = View.model_config | example(LEVEL)

    id: int
    rank: int
    name: Bilingual
    growth_at_least: int | None
    discount_bp: int
    points_multiplier_bp: int
    benefits: Bilingual
    upgrade_gift: list[RewardView]
    birthday_gift: list[RewardView]
    product_id: int | None
    days: int | None

    @classmethod
    def of(cls, terms: LevelTerms) -> Self:
        """Show a level as its rules are now."""
        rules = terms.version
        return cls(
            id=terms.level_id,
            rank=terms.rank,
            name=Bilingual(zh=rules.name, en=rules.name_en or rules.name),
            growth_at_least=rules.growth_at_least,
            discount_bp=rules.discount_bp,
            points_multiplier_bp=rules.points_multiplier_bp,
            benefits=Bilingual(zh=rules.benefits, en=rules.benefits_en or rules.benefits),
            upgrade_gift=[RewardView.of(one) for one in rewards_of(rules.upgrade_gift)],
            birthday_gift=[RewardView.of(one) for one in rewards_of(rules.birthday_gift)],
            product_id=rules.paid_product_id,
            days=rules.paid_days,
        )


class MembershipLevelsView(View):
    """Every level, the lowest first."""

    items: list[LevelView]


class MembershipView(View):
    """The caller's level. Without levels of the brand, `level` is null.

    `growth` is that of the last year, which decides. `kept_growth` is what will count on the day
    when the level ends or is looked at again.
    """

    model_config = View.model_config | example(
        {
            "level": LEVEL,
            "valid_until_at": "2027-03-01T12:00:00Z",
            "growth": 1_240,
            "growth_in_all": 3_000,
            "kept_growth": 1_240,
            "next_level": LEVEL | {"id": 3, "rank": 3},
            "lacking": 3_760,
        }
    )

    level: LevelView | None
    valid_until_at: datetime | None
    growth: int
    growth_in_all: int
    kept_growth: int | None
    next_level: LevelView | None
    lacking: int

    @classmethod
    def of(cls, found: Progress, levels: tuple[LevelTerms, ...]) -> Self:
        """Show where the caller stands."""
        own = next((one for one in levels if one.level_id == found.standing.level_id), None)
        return cls(
            level=LevelView.of(own) if own else None,
            valid_until_at=found.standing.valid_until_at,
            growth=found.growth,
            growth_in_all=found.growth_in_all,
            kept_growth=found.kept_growth,
            next_level=LevelView.of(found.next_level) if found.next_level else None,
            lacking=found.lacking,
        )


class GrowthView(View):
    """Growth that came, or was taken back where it is negative."""

    model_config = View.model_config | example(
        {"id": 9, "amount": 259, "source": "order", "at": "2026-03-08T12:00:00Z", "reason": ""}
    )

    id: int
    amount: int
    source: GrowthSource
    at: datetime
    reason: str

    @classmethod
    def of(cls, row: GrowthEntry) -> Self:
        """Show one entry."""
        return cls(id=row.id, amount=row.amount, source=row.source, at=row.at, reason=row.reason)


class GrowthPageView(View):
    """A page of growth, the newest first."""

    items: list[GrowthView]
    next_cursor: str | None


class MoveView(View):
    """One change of the caller's level; null is the level that asks for no growth."""

    model_config = View.model_config | example(
        {
            "id": 4,
            "from_level_id": None,
            "to_level_id": 2,
            "cause": "reached",
            "at": "2026-03-08T12:00:00Z",
        }
    )

    id: int
    from_level_id: int | None
    to_level_id: int | None
    cause: MoveCause
    at: datetime

    @classmethod
    def of(cls, row: LevelMove) -> Self:
        """Show one change."""
        return cls(
            id=row.id,
            from_level_id=row.from_level_id,
            to_level_id=row.to_level_id,
            cause=row.cause,
            at=row.at,
        )


class MovesView(View):
    """A page of changes of the caller's level, the newest first."""

    items: list[MoveView]
    next_cursor: str | None


class TaskView(View):
    """A task; done once `count` has reached `target`."""

    model_config = View.model_config | example(
        {
            "id": 3,
            "kind": "bring_a_friend",
            "title": {"zh": "邀请三位好友下单", "en": "Bring three friends"},
            "description": "",
            "target": 3,
            "count": 1,
            "done_at": None,
            "ends_at": None,
            "rewards": [REWARD],
        }
    )

    id: int
    kind: TaskKind
    title: Bilingual
    description: str
    target: int
    count: int
    done_at: datetime | None
    ends_at: datetime | None
    rewards: list[RewardView]

    @classmethod
    def of(cls, found: TaskStanding) -> Self:
        """Show a task with the caller's progress."""
        task = found.task
        return cls(
            id=task.id,
            kind=task.kind,
            title=Bilingual(zh=task.title, en=task.title_en or task.title),
            description=task.description,
            target=task.target,
            count=found.count,
            done_at=found.done_at,
            ends_at=task.ends_at,
            rewards=[RewardView.of(one) for one in found.rewards],
        )


class TasksView(View):
    """The tasks that run, and those that the caller has done."""

    items: list[TaskView]


class GivenView(View):
    """What the caller was given."""

    model_config = View.model_config | example(
        {
            "id": 8,
            "kind": "points",
            "amount": 100,
            "template_id": None,
            "source": "birthday",
            "given_at": "2026-03-01T00:05:00Z",
        }
    )

    id: int
    kind: RewardKind
    amount: int
    template_id: int | None
    source: RewardSource
    given_at: datetime

    @classmethod
    def of(cls, row: GivenReward) -> Self:
        """Show one reward."""
        assert row.given_at is not None, f"only {RewardState.GIVEN} is shown"
        return cls(
            id=row.id,
            kind=row.kind,
            amount=row.amount,
            template_id=row.template_id,
            source=row.source,
            given_at=row.given_at,
        )


class GivenPageView(View):
    """A page of what the caller was given, the newest first."""

    items: list[GivenView]
    next_cursor: str | None


@group.operation("GET", "/membership/levels")
def list_membership_levels() -> MembershipLevelsView:
    """List every level that can be reached or bought, the lowest first."""
    levels = levels_at(db.session(), at=moment())
    return MembershipLevelsView(
        items=[LevelView.of(one) for one in levels if not one.version.is_retired]
    )


@group.operation("GET", "/membership")
def show_membership() -> MembershipView:
    """Show the caller's level, what it brings, and what the next one lacks."""
    now = moment()
    found = overview.progress_of(db.session(), caller().member_id, now=now)
    return MembershipView.of(found, levels_at(db.session(), at=now))


@group.operation("GET", "/membership/growth")
def list_growth(query: PageQuery) -> GrowthPageView:
    """List the caller's growth, the newest first."""
    rows = overview.entries_page(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return GrowthPageView(items=[GrowthView.of(row) for row in shown], next_cursor=next_cursor)


@group.operation("GET", "/membership/history")
def list_level_moves(query: PageQuery) -> MovesView:
    """List the changes of the caller's level, the newest first."""
    rows = overview.moves_page(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return MovesView(items=[MoveView.of(row) for row in shown], next_cursor=next_cursor)


@group.operation("GET", "/membership/tasks")
def list_member_tasks() -> TasksView:
    """List tasks with the caller's progress."""
    found = tasks.tasks_of(db.session(), caller().member_id, now=moment())
    return TasksView(items=[TaskView.of(one) for one in found])


@group.operation("GET", "/membership/rewards")
def list_rewards(query: PageQuery) -> GivenPageView:
    """List what the caller was given, the newest first."""
    rows = loyalty.given_page(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return GivenPageView(items=[GivenView.of(row) for row in shown], next_cursor=next_cursor)

"""What a customer's timeline tells of their level and of what they were given."""

from collections.abc import Sequence

import sqlalchemy as sa

from admin.cells import Badge
from admin.directory import Reference
from admin.i18n import gettext
from admin.labels import label_of
from admin.timeline import Item, Wanted, scalars, seen
from app.loyalty.models import GivenReward
from app.membership.models import LevelMove


def level_moved(wanted: Wanted) -> Sequence[Item]:
    """Return the changes of a customer's level, where the reader may see them."""
    ids = seen("level_moves", LevelMove.id)
    if ids is None:
        return ()
    query = sa.select(LevelMove).where(
        LevelMove.member_id == wanted.member_id,
        LevelMove.id.in_(ids.where(LevelMove.member_id == wanted.member_id)),
    )
    return [
        Item(
            one.at,
            one.id,
            Badge(gettext("Membership: %(cause)s", cause=label_of(one.cause)), "busy"),
            Reference("membership_levels", one.to_level_id) if one.to_level_id else None,
            one.actor,
            one.reason,
        )
        for one in scalars(wanted.page(query, LevelMove.at, LevelMove.id))
    ]


def rewarded(wanted: Wanted) -> Sequence[Item]:
    """Return what a customer was given, where the reader may see it."""
    ids = seen("given_rewards", GivenReward.id)
    if ids is None:
        return ()
    query = sa.select(GivenReward).where(
        GivenReward.member_id == wanted.member_id,
        GivenReward.id.in_(ids.where(GivenReward.member_id == wanted.member_id)),
    )
    return [
        Item(
            one.asked_at,
            one.id,
            Badge(
                gettext("Reward: %(source)s", source=label_of(one.source)),
                "good" if one.given_at else "bad",
            ),
            Reference("given_rewards", one.id),
            None,
            f"{label_of(one.kind)} × {one.amount}",
        )
        for one in scalars(wanted.page(query, GivenReward.asked_at, GivenReward.id))
    ]

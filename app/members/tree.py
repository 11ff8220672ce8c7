"""The tree of who brought whom: locks, places and counters.

Order of locks, everywhere: the member's row; then the tree (shared for joining, exclusive for
moving, so that nobody moves while another counts who stands above); then rows of distributors by
member id, all in one statement. A function that needs fewer takes fewer, never in another order.

That nobody can stand above themselves does not rest on these locks: the table's own constraints
refuse it (see `Distributor`). The locks keep the counters right and make the refusal a clear one.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from app.members.models import Distributor, TeamStop

_TREE_LOCK: Final = 7_310_002
_NEXT_PLACE: Final = sa.Sequence("distributor_team_order_seq").next_value()

Shift = tuple[int | None, int, int]
"""For whom, by how many direct, by how many second."""


def hold_still(session: Session) -> None:
    """Keep everybody in their place until the end of this transaction; newcomers may come."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_TREE_LOCK)))


def take(session: Session) -> None:
    """Keep everybody else from joining or moving until the end of this transaction."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_TREE_LOCK)))


def lock_rows(session: Session, member_ids: Collection[int | None]) -> dict[int, Distributor]:
    """Lock distributors by member id; rows that merely refer to them are not held up."""
    rows = session.scalars(
        sa.select(Distributor)
        .where(Distributor.member_id.in_([one for one in member_ids if one is not None]))
        .order_by(Distributor.member_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {row.member_id: row for row in rows}


def lock_team(session: Session, mover_id: int, others: Collection[int | None]) -> None:
    """Lock a distributor, everybody below and the others given, without loading a large team."""
    team = _team_below(mover_id)
    locked = (
        sa.select(Distributor.member_id)
        .where(
            sa.or_(
                Distributor.member_id.in_(sa.select(team.c.member_id)),
                Distributor.member_id.in_([one for one in others if one is not None]),
            )
        )
        .order_by(Distributor.member_id)
        .with_for_update()
        .subquery()
    )
    session.execute(sa.select(sa.func.count()).select_from(locked))


def place(session: Session, mover_id: int, target: Distributor | None) -> None:
    """Write a new place, and give the whole team below new places in the global order.

    They come after everybody there is, the nearer before the farther, in one statement: so the
    constraints see only the old tree and the new one. Rows loaded before are read again.
    """
    session.flush()
    session.execute(_move(mover_id, target), execution_options={"synchronize_session": False})
    session.expire_all()


def _move(mover_id: int, target: Distributor | None) -> sa.Update:
    renumbered = _renumbered(mover_id)
    depth = renumbered.c.depth
    target_id = target.member_id if target else None
    target_place = target.team_order if target else None
    target_above_id = target.recommender_id if target else None
    return (
        sa.update(Distributor)
        .where(Distributor.member_id == renumbered.c.member_id)
        .values(
            team_order=renumbered.c.team_order,
            recommender_id=sa.case(
                (depth == 0, _bigint(target_id)), else_=Distributor.recommender_id
            ),
            recommender_team_order=sa.case(
                (depth == 0, _bigint(target_place)), else_=renumbered.c.above_team_order
            ),
            second_recommender_id=sa.case(
                (depth == 0, _bigint(target_above_id)),
                (depth == 1, _bigint(target_id)),
                else_=Distributor.second_recommender_id,
            ),
        )
    )


def _renumbered(mover_id: int) -> sa.CTE:
    """Give the mover's team new places, each with that of the one above."""
    team = _team_below(mover_id)
    nearest_first = sa.select(team).order_by(team.c.depth, team.c.member_id).subquery("sorted")
    placed = sa.select(nearest_first, _NEXT_PLACE.label("team_order")).cte("placed")
    above = placed.alias("above")
    return (
        sa.select(
            placed.c.member_id,
            placed.c.depth,
            placed.c.team_order,
            above.c.team_order.label("above_team_order"),
        )
        .join_from(placed, above, above.c.member_id == placed.c.recommender_id, isouter=True)
        .cte("renumbered")
    )


def _team_below(mover_id: int) -> sa.CTE:
    """Return a distributor at depth 0 and everybody below, with how far."""
    below = aliased(Distributor)
    team = (
        sa.select(Distributor.member_id, Distributor.recommender_id, sa.literal(0).label("depth"))
        .where(Distributor.member_id == mover_id)
        .cte("team", recursive=True)
    )
    return team.union_all(
        sa.select(below.member_id, below.recommender_id, team.c.depth + 1).join(
            team, below.recommender_id == team.c.member_id
        )
    )


def stops_above(session: Session, member_id: int | None) -> set[int]:
    """Return the open stops that keep newcomers from standing below a distributor.

    A stop holds for everybody below its root, the root itself included.
    """
    if member_id is None:
        return set()
    above = (
        sa.select(Distributor.member_id, Distributor.recommender_id)
        .where(Distributor.member_id == member_id)
        .cte("above", recursive=True)
    )
    further = aliased(Distributor)
    above = above.union_all(
        sa.select(further.member_id, further.recommender_id).join(
            above, further.member_id == above.c.recommender_id
        )
    )
    return set(
        session.scalars(
            sa.select(TeamStop.id)
            .join(above, above.c.member_id == TeamStop.root_id)
            .where(TeamStop.lifted_at.is_(None), TeamStop.stops_joining)
        )
    )


def _bigint(value: int | None) -> sa.ColumnElement[Any]:
    return sa.cast(value, sa.BigInteger)


def counted(row: Distributor, sign: int) -> list[Shift]:
    """Return how a distributor counts above, or with -1 how they cease to."""
    return [
        (row.recommender_id, sign, sign * row.direct_count),
        (row.second_recommender_id, 0, sign),
    ]


def shift_counts(session: Session, shifts: Sequence[Shift]) -> None:
    """Add to the counters of rows that are locked already."""
    for member_id, direct, second in shifts:
        if member_id is not None:
            session.execute(
                sa.update(Distributor)
                .where(Distributor.member_id == member_id)
                .values(
                    direct_count=Distributor.direct_count + direct,
                    second_count=Distributor.second_count + second,
                )
            )

"""The teams of chain 2+1: who stands where, who rises, and who stays behind.

Every boss is the top of a team: promotion takes them out of the team they were in. So the nearest
boss above an agent is the top of the agent's tree, where that is a boss, and can be kept in each
place (`boss_id`): a promotion with which all stay behind with the old boss or the parent changes
the boss of nobody but the promoted, and touches only them and their direct children. Where some go
along (FIRST_N), the platform takes people, or the top of a tree is promoted, everybody below those
gets their new boss.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final

from app.engines.chain.rules import ChainRules, LeaveScope, LeaveTo, PromotionBy, Role
from app.engines.places import Place, Places, Spot
from app.engines.results import FACTS_SCHEMA, Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPlace(Place):
    """Somebody's place: `parent` is where they stand in the team tree.

    `boss_id` is the nearest boss above, `origin_boss_id` the one they had when they were promoted,
    for ever. `depth` is how many recommenders stand above: of two people, one of whom came through
    the other, it tells how far they are apart. `direct_count` is how many recruits count,
    `sales_fen` what was settled with own customers. `counted` tells that this place counts with its
    recommender. A place whose order was refunded is `revoked` and stays where it is, so that nobody
    below moves. `promotion_order_id` is the joining order on which recruits made a boss of them,
    `under_review` that too few of these are left since.
    """

    role: Role = Role.AGENT
    boss_id: int | None = None
    origin_boss_id: int | None = None
    depth: int = 0
    direct_count: int = 0
    sales_fen: int = 0
    counted: bool = False
    revoked: bool = False
    under_review: bool = False
    promotion_order_id: int | None = None

    @property
    def is_boss(self) -> bool:
        """Tell a boss from an agent."""
        return self.role == Role.BOSS

    @property
    def boss_of_recruits(self) -> int | None:
        """Return who is the boss of those who stand directly below."""
        return self.member_id if self.is_boss else self.boss_id


NAMES: Final = tuple(one.name for one in fields(ChainPlace))
_values: Final = attrgetter(*NAMES)


def changed(place: ChainPlace, **changes: Any) -> ChainPlace:
    """Return a place with some fields changed: `dataclasses.replace`, in a third of the time."""
    return ChainPlace(**(dict(zip(NAMES, _values(place), strict=True)) | changes))


class NoteCode(StrEnum):
    """What people should look at."""

    SELF_RECOMMENDATION = "SELF_RECOMMENDATION"
    ALREADY_PLACED = "ALREADY_PLACED"
    BOSS_UNDER_REVIEW = "BOSS_UNDER_REVIEW"


class Teams:
    """The places as one event has changed them so far; `changed` in the order they came."""

    __slots__ = ("_places", "_rules", "changed", "notes")

    def __init__(self, rules: ChainRules, places: Places[ChainPlace]) -> None:
        """Begin with the places as they are."""
        self._rules = rules
        self._places = places
        self.changed: dict[int, ChainPlace] = {}
        self.notes: list[Facts] = []

    def get(self, member_id: int | None) -> ChainPlace | None:
        """Return somebody's place as it is by now."""
        if member_id is None:
            return None
        return self.changed.get(member_id) or self._places.get(member_id)

    def join(
        self,
        member_id: int,
        recommender_id: int | None,
        order_id: int | None,
        *,
        counts: bool,
    ) -> None:
        """Place somebody under their recommender, or at the top of a new team.

        With `counts` they count with the recommender at once. Whoever was revoked stands where they
        stood: a recommender is never changed. A newcomer has nobody below, so the only loop there
        can be is to recommend oneself; that is ignored.
        """
        former = self.get(member_id)
        if former is not None:
            place = changed(former, revoked=False, order_id=order_id, counted=counts)
        else:
            place = self._newcomer(member_id, recommender_id, order_id, counts=counts)
        self._put(place)
        if counts:
            self._count(place)

    def count(self, member_id: int) -> None:
        """Let somebody count with their recommender who has waited for it."""
        recruit = changed(self._known(member_id), counted=True)
        self._put(recruit)
        self._count(recruit)

    def _newcomer(
        self,
        member_id: int,
        recommender_id: int | None,
        order_id: int | None,
        *,
        counts: bool,
    ) -> ChainPlace:
        if recommender_id == member_id:
            self.note(NoteCode.SELF_RECOMMENDATION, member_id=member_id, order_id=order_id)
            recommender_id = None
        above = self.get(recommender_id)
        if above is None:
            role = self._rules.root_role
            return ChainPlace(member_id=member_id, order_id=order_id, role=role, counted=counts)
        return ChainPlace(
            member_id=member_id,
            recommender_id=above.member_id,
            parent=above.spot,
            order_id=order_id,
            boss_id=above.boss_of_recruits,
            depth=above.depth + 1,
            counted=counts,
        )

    def _count(self, recruit: ChainPlace) -> None:
        """Add somebody to their recommender's recruits, who may rise by it."""
        for above_id in self._counting(recruit):
            above = self._known(above_id)
            count = above.direct_count + 1
            under_review = above.under_review and count < (self._rules.promote_count or 0)
            self._put(changed(above, direct_count=count, under_review=under_review))
        recommender = self.get(recruit.recommender_id)
        if recommender is not None and self._has_enough_recruits(recommender):
            self._promote(recommender, recruit.order_id)

    def revoke(self, member_id: int, refund_id: int) -> None:
        """Take somebody's membership back: their order was refunded before it was settled.

        Whom they helped to rise stays a boss, for people to look at where too few recruits remain.
        """
        recruit = self._known(member_id)
        self._put(changed(recruit, revoked=True, counted=False))
        if not recruit.counted:
            return
        for above_id in self._counting(recruit):
            above = self._known(above_id)
            count = max(above.direct_count - 1, 0)
            falls_short = above.promotion_order_id is not None and count < (
                self._rules.promote_count or 0
            )
            under_review = above.under_review or falls_short
            self._put(changed(above, direct_count=count, under_review=under_review))
            if falls_short:
                self.note(
                    NoteCode.BOSS_UNDER_REVIEW,
                    member_id=above_id,
                    order_id=recruit.order_id,
                    refund_id=refund_id,
                    direct_count=count,
                )

    def sell(self, member_id: int | None, delta_fen: int) -> None:
        """Add settled sales to somebody's, who may rise by it; less of them lowers nobody.

        What was settled before somebody had a place never counted, so a refund of it stops at zero.
        """
        place = self.get(member_id)
        if place is None or place.revoked:
            return
        place = changed(place, sales_fen=max(place.sales_fen + delta_fen, 0))
        self._put(place)
        threshold_fen = self._rules.promote_sales_fen
        assert threshold_fen is not None, "whoever rises by sales has a threshold"
        if delta_fen > 0 and not place.is_boss and place.sales_fen >= threshold_fen:
            self._promote(place, None)

    def note(self, code: NoteCode, **facts: int | None) -> None:
        """Leave something for people to look at."""
        self.notes.append(
            {"schema": FACTS_SCHEMA, "model": self._rules.model, "code": code.value, **facts}
        )

    def _known(self, member_id: int) -> ChainPlace:
        place = self.get(member_id)
        assert place is not None, f"member {member_id} has no place"
        return place

    def _put(self, place: ChainPlace) -> None:
        """Keep a new version, as the latest: who comes into a team comes after those in it."""
        self.changed.pop(place.member_id, None)
        self.changed[place.member_id] = place

    def _children(self, spot: Spot) -> list[ChainPlace]:
        """Return who stands directly below by now, in the order in which they came."""
        before = self._places.children(spot)
        known = {place.member_id for place in before}
        now = [self.changed.get(place.member_id, place) for place in before]
        now += [place for place in self.changed.values() if place.member_id not in known]
        return [place for place in now if place.parent == spot]

    def _counting(self, recruit: ChainPlace) -> list[int]:
        """Return with whom somebody counts: whoever recommended them, and who has them now."""
        ids = [] if recruit.recommender_id is None else [recruit.recommender_id]
        if self._rules.count_left_behind and recruit.parent is not None:
            parent_id = recruit.parent[0]
            if parent_id not in ids:
                ids.append(parent_id)
        return ids

    def _has_enough_recruits(self, place: ChainPlace) -> bool:
        """Tell whether an agent rises now. Frozen ones do; a revoked one is no member."""
        if self._rules.promotion_by is not PromotionBy.RECRUITS:
            return False
        assert self._rules.promote_count is not None, "whoever rises by recruits has a number"
        is_agent = not place.is_boss and not place.revoked
        return is_agent and place.direct_count >= self._rules.promote_count

    def _promote(self, place: ChainPlace, order_id: int | None) -> None:
        """Make a boss of an agent, who leaves their team; see the module for who stays behind."""
        children = self._children(place.spot)
        leaving, staying = self._divide(place, children)
        self._put(
            changed(
                place,
                role=Role.BOSS,
                parent=None,
                boss_id=None,
                origin_boss_id=place.boss_id,
                promotion_order_id=order_id,
            )
        )
        self._leave_behind(place, leaving)
        self._tell_of_boss(staying, place.member_id)

    def _divide(
        self, place: ChainPlace, children: Sequence[ChainPlace]
    ) -> tuple[Sequence[ChainPlace], Sequence[ChainPlace]]:
        """Tell who is left behind from who goes along."""
        if place.parent is None and self._rules.root_keeps_children:
            return (), children
        if self._rules.leave_scope is LeaveScope.ALL:
            return children, ()
        by_number = sorted(children, key=lambda child: child.member_id)
        first = {child.member_id for child in by_number[: self._rules.leave_count]}
        return (
            [child for child in children if child.member_id in first],
            [child for child in children if child.member_id not in first],
        )

    def _leave_behind(self, place: ChainPlace, leaving: Sequence[ChainPlace]) -> None:
        """Put those who stay where the rules say; without a boss above the parent takes them."""
        boss_id, parent = place.boss_id, place.parent
        if self._rules.leave_to is LeaveTo.PLATFORM:
            boss_id = parent = None
        elif self._rules.leave_to is LeaveTo.NEAREST_BOSS and boss_id is not None:
            parent = (boss_id, 1)
        for child in leaving:
            self._put(changed(child, parent=parent))
        if boss_id != place.boss_id:
            self._tell_of_boss([self._known(child.member_id) for child in leaving], boss_id)
        if parent is not None and self._rules.count_left_behind:
            above = self._known(parent[0])
            more = sum(1 for child in leaving if child.counted)
            self._put(changed(above, direct_count=above.direct_count + more))

    def _tell_of_boss(self, tops: Iterable[ChainPlace], boss_id: int | None) -> None:
        """Give a boss to these and to everybody below them."""
        waiting = list(tops)
        while waiting:
            place = waiting.pop()
            waiting += self._children(place.spot)
            self._put(changed(place, boss_id=boss_id))

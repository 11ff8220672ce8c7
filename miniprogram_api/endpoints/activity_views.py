"""How groups and bargains look on a phone: what they need, and nobody's name."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from app.activities.bargain_models import Bargain, BargainCut
from app.activities.group_models import BuyingGroup, GroupSeat
from app.activities.states import BargainState, GroupState, SeatState
from miniprogram_api.fields import View

OVER = frozenset({BargainState.BOUGHT, BargainState.EXPIRED})


class SeatView(View):
    """A taken seat of a group."""

    number: int
    state: SeatState
    is_leader: bool
    is_yours: bool


class GroupView(View):
    """A group: `code` is for its link, `free` seats wait for people until `expires_at`."""

    code: str
    activity_id: int
    item_id: int
    store_id: int
    state: GroupState
    size: int
    free: int
    opened_at: datetime
    expires_at: datetime
    seats: list[SeatView]

    @classmethod
    def of(cls, group: BuyingGroup, seats: Sequence[GroupSeat], *, member_id: int) -> Self:
        """Show a group to a member."""
        return cls(
            code=group.code,
            activity_id=group.activity_id,
            item_id=group.item_id,
            store_id=group.store_id,
            state=group.state,
            size=group.size,
            free=group.size - len(seats) if group.state is GroupState.OPEN else 0,
            opened_at=group.opened_at,
            expires_at=group.expires_at,
            seats=[
                SeatView(
                    number=seat.number,
                    state=seat.state,
                    is_leader=seat.member_id == group.leader_id,
                    is_yours=seat.member_id == member_id,
                )
                for seat in seats
            ],
        )


class BargainCutView(View):
    """One cut."""

    amount_fen: int
    is_yours: bool
    at: datetime


class BargainView(View):
    """A bargain. `commitment` is the SHA-256 of `seed`, which is told once the bargain is over.

    The seed decides what each part takes, so nothing was changed on the way.
    """

    code: str
    activity_id: int
    item_id: int
    store_id: int
    state: BargainState
    is_yours: bool
    start_fen: int
    floor_fen: int
    price_fen: int
    parts: int
    parts_cut: int
    begun_at: datetime
    expires_at: datetime
    cuts: list[BargainCutView]
    commitment: str
    seed: str | None

    @classmethod
    def of(cls, bargain: Bargain, cuts: Sequence[BargainCut], *, member_id: int) -> Self:
        """Show a bargain to a member."""
        return cls(
            code=bargain.code,
            activity_id=bargain.activity_id,
            item_id=bargain.item_id,
            store_id=bargain.store_id,
            state=bargain.state,
            is_yours=bargain.member_id == member_id,
            start_fen=bargain.start_fen,
            floor_fen=bargain.floor_fen,
            price_fen=bargain.price_fen,
            parts=bargain.parts,
            parts_cut=bargain.parts_cut,
            begun_at=bargain.begun_at,
            expires_at=bargain.expires_at,
            cuts=[
                BargainCutView(
                    amount_fen=cut.amount_fen,
                    is_yours=cut.helper_id == member_id,
                    at=cut.at,
                )
                for cut in cuts
            ],
            commitment=bargain.commitment,
            seed=bargain.seed if bargain.state in OVER else None,
        )


class CutView(View):
    """What a cut took, and the bargain after it."""

    amount_fen: int
    bargain: BargainView

"""WeChat as a book of transfers, kept apart from ours: the judge of what was paid to whom."""

from dataclasses import dataclass
from enum import StrEnum

from app.payouts.sending import Errand
from app.wechat.values import FINAL_TRANSFER_STATES, TransferReport, TransferState


class Mood(StrEnum):
    """What becomes of a request on its way to WeChat and back."""

    GOOD = "good"
    SLOW = "slow"
    """It is accepted first and offered to its receiver later."""
    REFUSED = "refused"
    NOT_NOW = "not_now"
    LOST_BEFORE = "lost_before"
    LOST_AFTER = "lost_after"


@dataclass
class Booked:
    """One transfer as WeChat knows it."""

    amount_fen: int
    openid: str
    state: TransferState

    @property
    def has_ended(self) -> bool:
        return self.state in FINAL_TRANSFER_STATES


class WeChatBooks:
    """Transfers by number."""

    def __init__(self) -> None:
        self.transfers: dict[str, Booked] = {}

    def answer(self, errand: Errand, mood: Mood) -> TransferReport:
        """Do what a worker asks for and say what the worker hears, as `app.wechat.pay` would."""
        if mood is Mood.LOST_BEFORE:
            return self._only(errand.number, TransferState.UNKNOWN)
        said = self._act(errand, mood)
        return self._only(errand.number, TransferState.UNKNOWN) if mood is Mood.LOST_AFTER else said

    def report(self, number: str, *, with_package: bool = False) -> TransferReport:
        """Say what is known of a number, as a query or a notice would."""
        booked = self.transfers.get(number)
        if booked is None:
            return self._only(number, TransferState.NOT_FOUND)
        waits = booked.state is TransferState.WAIT_USER_CONFIRM
        return TransferReport(
            out_bill_no=number,
            state=booked.state,
            transfer_bill_no=f"1330{number}",
            amount_fen=booked.amount_fen,
            openid=booked.openid,
            package_info=f"package-{number}" if with_package and waits else None,
        )

    def move_on(self, number: str, to: TransferState) -> None:
        """Let a transfer go forward, where that can be; one being taken back ends cancelled."""
        booked, order = self.transfers[number], list(TransferState)
        is_forward = order.index(to) > order.index(booked.state)
        is_asked = booked.state is TransferState.CANCELING
        if not booked.has_ended and is_forward and is_asked == (to is TransferState.CANCELLED):
            booked.state = to

    def received_fen(self, openid: str) -> int:
        return sum(
            one.amount_fen
            for one in self.transfers.values()
            if one.openid == openid and one.state is TransferState.SUCCESS
        )

    def _act(self, errand: Errand, mood: Mood) -> TransferReport:
        if errand.order is None:
            booked = self.transfers.get(errand.number)
            if errand.wants_cancel and booked and not booked.has_ended:
                booked.state = TransferState.CANCELING
            return self.report(errand.number)
        if errand.number in self.transfers:
            return self.report(errand.number, with_package=True)
        if mood is Mood.REFUSED:
            return self._only(errand.number, TransferState.REFUSED)
        if mood is Mood.NOT_NOW:
            return self._only(errand.number, TransferState.NOT_NOW)
        slow = mood is Mood.SLOW
        self.transfers[errand.number] = Booked(
            errand.order.amount_fen,
            errand.order.openid,
            TransferState.ACCEPTED if slow else TransferState.WAIT_USER_CONFIRM,
        )
        return self.report(errand.number, with_package=True)

    def _only(self, number: str, state: TransferState) -> TransferReport:
        return TransferReport(out_bill_no=number, state=state)

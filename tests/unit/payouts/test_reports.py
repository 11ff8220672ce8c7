from collections.abc import Mapping
from itertools import product
from typing import Any, Final

import pytest

import app.tables  # noqa: F401 - relations need every table
from app.payouts.models import PayoutBill
from app.payouts.reports import EVENT_OF, Contradiction, contradiction, news
from app.payouts.states import FINAL_BILL_STATES, BillEvent, BillState
from app.wechat.values import TransferReport, TransferState

NUMBER: Final = "B20260301AAAAAAAAAAAAAAAA"
KNOWLEDGE: Final = [state for state in TransferState if state not in EVENT_OF]
NEWS: Final[Mapping[BillState, Mapping[TransferState, BillEvent]]] = {
    BillState.CREATED: {},
    BillState.SENDING: {
        TransferState.ACCEPTED: BillEvent.ACCEPT,
        TransferState.PROCESSING: BillEvent.ACCEPT,
        TransferState.WAIT_USER_CONFIRM: BillEvent.OFFER,
        TransferState.TRANSFERRING: BillEvent.TAKE,
    },
    BillState.ACCEPTED: {
        TransferState.WAIT_USER_CONFIRM: BillEvent.OFFER,
        TransferState.TRANSFERRING: BillEvent.TAKE,
        TransferState.CANCELING: BillEvent.ASK_CANCEL,
    },
    BillState.WAITING_USER: {
        TransferState.TRANSFERRING: BillEvent.TAKE,
        TransferState.CANCELING: BillEvent.ASK_CANCEL,
    },
    BillState.TRANSFERRING: {},
    BillState.CANCELLING: {TransferState.TRANSFERRING: BillEvent.TAKE},
}
ENDS: Final = {
    TransferState.SUCCESS: BillEvent.SUCCEED,
    TransferState.FAIL: BillEvent.FAIL,
    TransferState.CANCELLED: BillEvent.CANCEL,
}


def bill(state: BillState = BillState.WAITING_USER, **facts: Any) -> PayoutBill:
    known = {
        "number": NUMBER,
        "amount_fen": 5_000,
        "payee_openid": "openid-a",
        "wechat_bill_number": "1330A",
    }
    return PayoutBill(state=state, **(known | facts))


def report(state: TransferState = TransferState.SUCCESS, **facts: Any) -> TransferReport:
    known: dict[str, Any] = {
        "out_bill_no": NUMBER,
        "amount_fen": 5_000,
        "openid": "openid-a",
        "transfer_bill_no": "1330A",
    }
    return TransferReport(state=state, **(known | facts))


def expected(state: BillState, said: TransferState) -> BillEvent | None:
    if state in FINAL_BILL_STATES or state is BillState.CREATED:
        return None
    return ENDS.get(said) or NEWS[state].get(said)


@pytest.mark.parametrize(("state", "said"), list(product(BillState, TransferState)))
def test_a_report_is_news_only_where_it_leads_forward(
    state: BillState, said: TransferState
) -> None:
    assert news(bill(state), report(said)) == expected(state, said)


@pytest.mark.parametrize(
    ("facts", "flaw"),
    [
        ({}, None),
        ({"amount_fen": None, "openid": None, "transfer_bill_no": None}, None),
        ({"out_bill_no": "B20260301BBBBBBBBBBBBBBBB"}, Contradiction.NUMBER),
        ({"amount_fen": 4_999}, Contradiction.AMOUNT),
        ({"openid": "openid-b"}, Contradiction.PAYEE),
        ({"transfer_bill_no": "1330B"}, Contradiction.WECHAT_NUMBER),
    ],
)
def test_a_report_about_something_else_contradicts_the_bill(
    facts: dict[str, Any], flaw: Contradiction | None
) -> None:
    assert contradiction(bill(), report(**facts)) == flaw


@pytest.mark.parametrize("said", list(EVENT_OF))
def test_wechat_cannot_know_a_bill_that_was_never_sent(said: TransferState) -> None:
    unsent = bill(BillState.CREATED, wechat_bill_number=None)

    assert contradiction(unsent, report(said)) == Contradiction.NEVER_SENT


@pytest.mark.parametrize("end", [BillState.FAILED, BillState.CANCELLED])
@pytest.mark.parametrize("said", list(EVENT_OF))
def test_wechat_cannot_know_a_bill_whose_money_was_given_back(
    end: BillState, said: TransferState
) -> None:
    refused = bill(end, wechat_bill_number=None)

    assert contradiction(refused, report(said)) == Contradiction.GIVEN_BACK


@pytest.mark.parametrize(
    ("end", "said"),
    [
        pair
        for pair in product(sorted(FINAL_BILL_STATES), ENDS)
        if pair
        not in {
            (BillState.SUCCEEDED, TransferState.SUCCESS),
            (BillState.FAILED, TransferState.FAIL),
            (BillState.CANCELLED, TransferState.CANCELLED),
        }
    ],
)
def test_a_bill_cannot_end_in_two_ways(end: BillState, said: TransferState) -> None:
    assert contradiction(bill(end), report(said)) == Contradiction.OTHER_END


@pytest.mark.parametrize("end", sorted(FINAL_BILL_STATES))
def test_late_word_of_an_earlier_state_is_no_contradiction(end: BillState) -> None:
    assert contradiction(bill(end), report(TransferState.WAIT_USER_CONFIRM)) is None


@pytest.mark.parametrize("said", KNOWLEDGE)
@pytest.mark.parametrize("state", list(BillState))
def test_not_knowing_contradicts_nothing(state: BillState, said: TransferState) -> None:
    ignorant = TransferReport(out_bill_no=NUMBER, state=said)

    assert contradiction(bill(state), ignorant) is None

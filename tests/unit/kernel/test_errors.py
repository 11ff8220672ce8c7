import pytest

from app.kernel.errors import DomainError
from app.kernel.i18n import CHINESE, ENGLISH, translate
from app.members.errors import StandingConflict
from app.members.models import Standing
from app.members.states import StandingEvent
from app.orders.errors import ORDER_WORDS, REFUND_WORDS, OrderNotInState
from app.orders.states import OrderState, RefundState
from app.payouts.errors import PAYOUT_WORDS
from app.payouts.states import BillState, PayoutState
from app.plans.errors import PLAN_WORDS
from app.plans.models import PlanVersionState


@pytest.mark.parametrize(
    ("error", "english", "chinese"),
    [
        (OrderNotInState("closed", "pay"), "the order is Closed.", "已关闭"),
        (StandingConflict(Standing.QUIT, StandingEvent.FREEZE), "Quit", "已退出"),
    ],
)
def test_an_error_says_states_as_people_do(error: DomainError, english: str, chinese: str) -> None:
    assert english in translate(error.message(), ENGLISH)
    assert chinese in translate(error.message(), CHINESE)


def test_every_state_has_a_name() -> None:
    assert {state.value for state in OrderState} == set(ORDER_WORDS)
    assert {state.value for state in RefundState} == set(REFUND_WORDS)
    assert {state.value for state in (*PayoutState, *BillState)} == set(PAYOUT_WORDS)
    assert {state.value for state in PlanVersionState} == set(PLAN_WORDS)

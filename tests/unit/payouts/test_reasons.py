import pytest

from app.kernel.i18n import Message
from app.payouts.reasons import TEXTS, explain, explain_delay


def test_a_bill_that_was_paid_needs_no_reason() -> None:
    assert explain(None) is None
    assert explain_delay(None) is None


@pytest.mark.parametrize("reason", sorted(TEXTS))
def test_a_known_reason_is_a_sentence(reason: str) -> None:
    assert explain(reason) == Message(TEXTS[reason])
    assert explain_delay(reason) == Message(TEXTS[reason])


def test_a_reason_that_wechat_has_added_is_named_where_it_ended_the_bill() -> None:
    assert explain("NEW_ONE") == Message(
        "WeChat did not make the transfer (%(reason)s).", {"reason": "NEW_ONE"}
    )


@pytest.mark.parametrize("passing", ["unknown", "not_found", "SYSTEM_ERROR", "FREQUENCY_LIMITED"])
def test_what_passes_by_itself_is_not_worth_a_sentence(passing: str) -> None:
    assert explain_delay(passing) is None

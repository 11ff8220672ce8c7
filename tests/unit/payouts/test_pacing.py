from datetime import timedelta

import pytest

from app.payouts.pacing import ask_again, claimed_for, try_again


def seconds(span: timedelta) -> float:
    return span.total_seconds()


def test_a_try_keeps_a_bill_longer_than_a_send_and_the_query_after_it_may_take() -> None:
    assert claimed_for(10) == timedelta(seconds=30)


@pytest.mark.parametrize(
    ("age", "expected"),
    [(None, 60), (timedelta(0), 60), (timedelta(minutes=20), 120), (timedelta(days=2), 900)],
)
def test_the_older_a_waiting_bill_the_less_often_it_is_asked_about(
    age: timedelta | None, expected: int
) -> None:
    assert seconds(ask_again(60, age=age, salt=0)) == expected


@pytest.mark.parametrize(
    ("attempts", "expected"), [(0, 60), (1, 60), (2, 120), (3, 240), (7, 3_840), (50, 3_840)]
)
def test_what_wechat_does_not_take_now_is_tried_again_at_doubling_distance(
    attempts: int, expected: int
) -> None:
    assert seconds(try_again(60, attempts=attempts, salt=0)) == expected


def test_bills_that_fall_due_together_do_not_come_back_together() -> None:
    looks = {ask_again(60, age=None, salt=salt) for salt in range(1_000)}

    assert len(looks) == 1_000
    assert all(timedelta(seconds=60) <= look < timedelta(seconds=75) for look in looks)

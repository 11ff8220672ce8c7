"""The life of a guest card against a model of a few fields, whatever happens in whatever order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Flask
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from app.guest_cards import booking, claiming, ending, redeeming, sharing
from app.guest_cards.models import CardQuota
from app.guest_cards.states import HELD, BookingState, CardState
from app.kernel.audit import SYSTEM, Actor
from app.kernel.errors import DomainError
from app.operations import invariants
from app.settings import Settings
from tests.factories.guest_cards import friend_of, make_friend, make_template, open_hours
from tests.factories.people import make_distributor, make_staff, make_store
from tests.thoroughness import examples as tried

BEGINS = datetime(2026, 3, 29, 2, tzinfo=UTC)
"""Ten in the morning, two days before the end of a month."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
USES, QUOTA, VALID = 3, 2, timedelta(days=5)
CODES = {"B10g", "B31", "B31b", "B31o", "B31q", "B31u", "B33c"}
OTHERS = frozenset(one.code for one in invariants.INVARIANTS) - CODES


@dataclass
class Model:
    """The card that is followed."""

    state: CardState = CardState.SHARED
    left: int = USES
    used: int = 0
    voided: int = 0
    claimed_at: datetime | None = None
    booked_for: datetime | None = None

    def end(self, state: CardState) -> None:
        self.state, self.voided, self.left, self.booked_for = state, self.left, 0, None


class CardLife(RuleBasedStateMachine):
    """One card of three times, good for five days, out of a quota of two."""

    def __init__(self, session: Session, settings: Settings) -> None:
        super().__init__()
        self.session, self.settings, self.now = session, settings, BEGINS
        self.store = open_hours(session, make_store(session))
        template = make_template(session, uses=USES, quota=QUOTA, valid_days=VALID.days)
        self.template_id, self.giver_id = template.id, make_distributor(session).member_id
        self.staff = Actor("staff", make_staff(session, "front_desk", stores=[self.store]).id)
        self.friends = [friend_of(make_friend(session)) for _ in range(2)]
        self.model = Model()
        card = sharing.share(
            session,
            giver_id=self.giver_id,
            template_id=self.template_id,
            settings=settings,
            now=self.now,
        )
        self.card_id, self.token, self.item_id = card.id, card.token, card.items[0].id
        self.quota_id, self.until = card.quota_id, card.share_until_at
        session.commit()

    def _does(self, act: Callable[[], object]) -> bool:
        """Do it in a savepoint; tell whether it was done."""
        try:
            with self.session.begin_nested():
                act()
        except DomainError:
            return False
        self.session.commit()
        return True

    @property
    def is_good(self) -> bool:
        claimed = self.model.claimed_at
        return claimed is not None and self.model.state in HELD and self.now < claimed + VALID

    @rule(wait=st.sampled_from([HOUR, 5 * HOUR, DAY, 3 * DAY]))
    def wait(self, wait: timedelta) -> None:
        self.now += wait

    @rule(who=st.sampled_from([0, 0, 0, 1]))
    def claim(self, who: int) -> None:
        friend = self.friends[who]
        done = self._does(
            lambda: claiming.claim(
                self.session, self.token, friend=friend, settings=self.settings, now=self.now
            )
        )
        again = who == 0 and self.model.state in HELD
        may = self.model.state is CardState.SHARED and self.now < self.until
        if may:
            self.friends.insert(0, self.friends.pop(who))
            self.model.state, self.model.claimed_at = CardState.CLAIMED, self.now
        assert done == (may or again)

    @rule(day=st.sampled_from([0, 1, 2]), hour=st.sampled_from([0, 3, 9]))
    def book(self, day: int, hour: int) -> None:
        from_at = BEGINS.replace(hour=2) + (self.now - BEGINS) // DAY * DAY
        from_at += day * DAY + hour * HOUR
        done = self._does(
            lambda: booking.book(
                self.session,
                self.card_id,
                member_id=self.friends[0].member_id,
                store_id=self.store.id,
                from_at=from_at,
                settings=self.settings,
                now=self.now,
            )
        )
        if done:
            assert self.is_good
            assert self.model.state is CardState.CLAIMED
            assert from_at > self.now
            assert self.model.claimed_at is not None
            assert from_at + HOUR <= self.model.claimed_at + VALID
            self.model.state, self.model.booked_for = CardState.BOOKED, from_at

    @rule()
    def cancel(self) -> None:
        row = booking.live_booking(self.session, self.card_id)
        assert (row is not None) == (self.model.booked_for is not None)
        if row is None or self.model.booked_for is None:
            return
        member_id = self.friends[0].member_id
        done = self._does(
            lambda: booking.cancel(self.session, row.id, member_id=member_id, now=self.now)
        )
        assert done == (self.now < self.model.booked_for)
        if done:
            self.model.state, self.model.booked_for = CardState.CLAIMED, None

    @rule()
    def sweep_bookings(self) -> None:
        over = timedelta(seconds=self.settings.card_no_show_seconds) + HOUR
        booked_for = self.model.booked_for
        count = booking.miss_due(self.session, settings=self.settings, now=self.now, limit=9)
        self.session.commit()
        is_due = booked_for is not None and booked_for + over <= self.now
        assert count == int(is_due)
        if is_due:
            self.model.state, self.model.booked_for = CardState.CLAIMED, None

    @rule(by_code=st.booleans())
    def redeem(self, *, by_code: bool) -> None:
        code = None
        if by_code and self.is_good:
            shown = redeeming.show_code(
                self.session,
                self.card_id,
                None,
                member_id=self.friends[0].member_id,
                now=self.now,
            )
            code = str(shown)
        done = self._does(
            lambda: redeeming.redeem(
                self.session,
                self.item_id,
                code=code,
                store_id=self.store.id,
                actor=self.staff,
                now=self.now,
            )
        )
        assert done == self.is_good
        if done:
            self.model.left, self.model.used = self.model.left - 1, self.model.used + 1
            self.model.booked_for = None
            self.model.state = CardState.CLAIMED if self.model.left else CardState.USED

    @rule()
    def sweep(self) -> None:
        """Run both jobs that end cards."""
        lapsed = ending.lapse(self.session, now=self.now, limit=9)
        expired = ending.expire(self.session, now=self.now, limit=9)
        self.session.commit()
        model = self.model
        if model.state is CardState.SHARED and self.until <= self.now:
            assert (lapsed, expired) == (1, 0)
            is_same_month = sharing.month_of(self.now) == sharing.month_of(BEGINS)
            model.end(CardState.RETURNED if is_same_month else CardState.EXPIRED)
        elif model.state is CardState.CLAIMED and not self.is_good:
            assert (lapsed, expired) == (0, 1)
            model.end(CardState.EXPIRED)
        else:
            assert (lapsed, expired) == (0, 0)

    @rule(is_meant=st.sampled_from([False, False, False, True]))
    def revoke(self, *, is_meant: bool) -> None:
        if not is_meant:
            return
        done = self._does(
            lambda: ending.revoke(
                self.session, self.card_id, reason="mistake", actor=SYSTEM, now=self.now
            )
        )
        assert done == (self.model.state is CardState.SHARED or self.model.state in HELD)
        if done:
            self.model.end(CardState.REVOKED)

    @invariant()
    def rows_are_what_the_model_says(self) -> None:
        self.session.expire_all()
        card = booking.lock_card(self.session, self.card_id)
        [item] = card.items
        model = self.model
        assert card.state is model.state
        assert (item.remaining, item.used, item.voided) == (model.left, model.used, model.voided)
        row = booking.live_booking(self.session, self.card_id)
        assert (row.from_at if row else None) == model.booked_for
        assert row is None or row.state is BookingState.BOOKED
        quota = self.session.get_one(CardQuota, self.quota_id)
        assert quota.taken == int(model.state is not CardState.RETURNED)
        assert len(
            redeeming.usable_of(
                self.session, self.friends[0].member_id, store_ids=None, now=self.now
            )
        ) == int(self.is_good)
        self.session.commit()

    def teardown(self) -> None:
        """Leave no card behind that a later life's jobs would find."""
        found = invariants.check(self.session, skip=OTHERS)
        assert [one.code for one in found if one.count] == []
        if self.model.state is CardState.SHARED or self.model.state in HELD:
            ending.revoke(self.session, self.card_id, reason="over", actor=SYSTEM, now=self.now)
            self.session.commit()


def test_no_history_takes_a_card_anywhere_its_model_would_not_go(
    app: Flask, session: Session, settings: Settings
) -> None:
    run_state_machine_as_test(
        lambda: CardLife(session, settings),  # type: ignore[arg-type]  # as its documentation says
        settings=examples(
            max_examples=tried(15),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],
        ),
    )

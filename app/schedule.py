"""What runs by the clock: cron line, in Shanghai's time, or on every sweep."""

from collections.abc import Mapping
from typing import Final

from app.activities import jobs as activities
from app.approvals import jobs as approvals
from app.attribution import jobs as attribution
from app.coupons import jobs as coupons
from app.distribution import jobs as distribution
from app.distribution.simulation import jobs as simulation
from app.guest_cards import jobs as guest_cards
from app.imports import jobs as imports
from app.insight import jobs as insight
from app.interactions import jobs as interactions
from app.kernel import audit_checks, housekeeping
from app.ledger import jobs as ledger
from app.loyalty import jobs as loyalty
from app.members import jobs as members
from app.membership import jobs as membership
from app.orders import jobs as orders
from app.payouts import jobs as payouts
from app.points import jobs as points
from app.posters import jobs as posters
from app.privacy import jobs as privacy
from app.risk import jobs as risk
from app.stores import jobs as staff
from app.telling import jobs as telling

EVERY_SWEEP: Final = (
    orders.close_unpaid_orders.name,
    orders.query_payments.name,
    orders.send_refunds.name,
    orders.settle_orders.name,
    distribution.mature_awards.name,
    distribution.allot_seats.name,
    payouts.send_payouts.name,
    coupons.push_coupons.name,
    simulation.run_simulations.name,
    imports.run_imports.name,
    guest_cards.lapse_card_shares.name,
    guest_cards.note_missed_bookings.name,
    guest_cards.expire_guest_cards.name,
    privacy.answer_data_requests.name,
    activities.keep_activities_to_time.name,
    membership.end_levels.name,
    membership.raise_everybody.name,
    audit_checks.check_audit_trail.name,
    interactions.send_messages.name,
    interactions.run_campaigns.name,
    interactions.give_care.name,
)
"""Jobs that find due rows by themselves; rung every `SWEEP_SECONDS`."""

CRON: Final[Mapping[str, str]] = {
    ledger.seal_ledger.name: "* * * * *",
    insight.refresh_figures.name: "*/2 * * * *",
    insight.reconcile_figures.name: "50 1 * * *",
    coupons.expire_coupons.name: "*/5 * * * *",
    housekeeping.forget_old_requests.name: "20 * * * *",
    attribution.forget_code_misses.name: "25 * * * *",
    imports.forget_imports.name: "50 3 * * *",
    privacy.forget_data_copies.name: "55 * * * *",
    posters.forget_old_posters.name: "35 3 * * *",
    members.forget_ended_sessions.name: "40 3 * * *",
    members.forget_former_customers.name: "42 3 * * *",
    staff.forget_staff_sessions.name: "45 3 * * *",
    staff.end_past_employment.name: "5 0 * * *",
    distribution.evaluate_all_levels.name: "10 3 * * *",
    distribution.end_level_warnings.name: "40 4 * * *",
    distribution.review_levels.name: "10 5 1-3 * *",
    approvals.expire_approvals.name: "*/10 * * * *",
    distribution.watch_trees.name: "35 * * * *",
    distribution.close_months.name: "30 0 * * *",
    risk.watch_risk.name: "50 * * * *",
    telling.tell_what_is_near.name: "*/10 * * * *",
    interactions.find_care.name: "15 9 * * *",
    points.expire_points.name: "5 * * * *",
    points.tell_of_expiring_points.name: "0 10 * * *",
    membership.warn_of_levels.name: "20 9 * * *",
    loyalty.celebrate_birthdays.name: "5 8 * * *",
}

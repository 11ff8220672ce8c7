"""What follows from what: the only place that knows. Event to the jobs that react to it."""

from collections.abc import Mapping
from typing import Final

from app.activities import invite_jobs
from app.activities import jobs as activities
from app.coupons import jobs as coupons
from app.distribution import jobs as distribution
from app.distribution.simulation import jobs as simulation
from app.imports import jobs as imports
from app.loyalty import guest_cards
from app.loyalty import jobs as loyalty
from app.membership import jobs as membership
from app.orders import jobs as orders
from app.payouts import jobs as payouts
from app.privacy import jobs as privacy
from app.telling import jobs as telling

EFFECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "distributor_approved": (distribution.begin_levels.name, distribution.note_joined.name),
    "order_closed": (activities.follow_activity_orders.name,),
    "order_paid": (
        loyalty.promise_rewards.name,
        guest_cards.note_card_orders.name,
        distribution.award_orders.name,
        activities.follow_activity_orders.name,
    ),
    "order_completed": (distribution.award_orders.name, distribution.freeze_awards.name),
    "order_settled": (
        loyalty.settle_rewards.name,
        distribution.award_orders.name,
        distribution.evaluate_levels.name,
        invite_jobs.count_invited_buyers.name,
    ),
    "plan_published": (distribution.seat_everybody.name,),
    "refund_succeeded": (
        loyalty.take_back_rewards.name,
        guest_cards.note_card_refunds.name,
        distribution.claw_back_refunds.name,
        distribution.note_refunds.name,
        activities.follow_activity_refunds.name,
    ),
    "guest_card_used": (
        guest_cards.reward_card_givers.name,
        invite_jobs.count_invited_guests.name,
    ),
    "level_raised": (loyalty.give_upgrade_gifts.name,),
    "member_joined": (loyalty.look_at_members.name,),
    "phone_bound": (loyalty.look_at_members.name,),
    "profile_changed": (loyalty.look_at_members.name,),
}
"""Events and what they change; `TASKS` adds what customers are told of them."""

TASKS: Final[Mapping[str, tuple[str, ...]]] = {
    event: (*EFFECTS.get(event, ()), *filter(None, [telling.JOBS.get(event)]))
    for event in (*EFFECTS, *(one for one in telling.JOBS if one not in EFFECTS))
}
"""Events that leave one task for each job; the job deletes it together with its effect."""

BELLS: Final[Mapping[str, tuple[str, ...]]] = {
    "refund_approved": (orders.send_refunds.name,),
    "payout_approved": (payouts.send_payouts.name,),
    "payout_cancel_asked": (payouts.send_payouts.name,),
    "order_close_requested": (orders.close_unpaid_orders.name,),
    "coupon_push_begun": (coupons.push_coupons.name,),
    "import_begun": (imports.run_imports.name,),
    "import_uploaded": (imports.run_imports.name,),
    "data_requested": (privacy.answer_data_requests.name,),
    "membership_evaluation_asked": (membership.raise_everybody.name,),
    "simulation_requested": (simulation.run_simulations.name,),
}
"""Events after which rows say by `due_at` what is to be done: only the bell rings, sooner."""


def jobs_after(events: set[str]) -> set[str]:
    """Return every job that has got work by these events."""
    return {name for event in events for table in (TASKS, BELLS) for name in table.get(event, ())}

"""What staff should know before a draw, a check-in or a round of invitations is scheduled.

None of it forbids anything. What a thing is worth is not known here, so the cap on prizes (50,000
yuan, 反不正当竞争法 art. 11) is told with every draw that gives things.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy.orm import Session

from app.activities import draws
from app.activities.draw_models import DrawPrize
from app.activities.draw_odds import WHOLE_PPM
from app.activities.draws import LuckyDrawRules
from app.activities.models import Activity
from app.activities.states import ActivityKind
from app.coupons.models import CouponTemplate
from app.kernel.i18n import N_, Message
from app.loyalty.models import RewardKind
from app.loyalty.rewards import Reward

RARE_PPM: Final = 1_000
"""Below one in a thousand hardly anybody ever sees a prize."""


def draw_advice(session: Session, activity: Activity) -> Iterator[Message]:
    """Yield what is worth a second look about a draw; nothing about other kinds."""
    if activity.kind is not ActivityKind.LUCKY_DRAW:
        return
    prizes = draws.prizes_of(session, activity.id)
    if not prizes:
        yield Message(N_("It has no prizes yet; it cannot be scheduled without."))
        return
    yield from _about_all(activity, prizes)
    for prize in prizes:
        yield from _about(session, activity, prize)


def _about_all(activity: Activity, prizes: Sequence[DrawPrize]) -> Iterator[Message]:
    rules = LuckyDrawRules.model_validate(activity.rules)
    if sum(prize.chance_ppm for prize in prizes) == WHOLE_PPM:
        yield Message(N_("Every draw wins until prizes are gone; later ones win nothing."))
    if rules.free_a_day == 0 and rules.points_a_draw > 0:
        yield Message(N_("No draw is free: who has no points cannot take part."))
    if any(prize.reward is None for prize in prizes):
        yield Message(
            N_("No prize may be worth more than 50,000 yuan; look at what is handed over in store.")
        )


def _about(session: Session, activity: Activity, prize: DrawPrize) -> Iterator[Message]:
    facts: dict[str, Any] = {"title": prize.title}
    if prize.chance_ppm < RARE_PPM:
        one_in = WHOLE_PPM // prize.chance_ppm
        yield Message(N_("%(title)s is drawn once in %(draws)s draws."), {**facts, "draws": one_in})
    if activity.limit_total is not None:
        expected = activity.limit_total * prize.chance_ppm // WHOLE_PPM
        told = {**facts, "expected": expected, "stock": prize.stock}
        if expected > prize.stock:
            text = N_("Of %(title)s there are %(stock)s; all draws would win about %(expected)s.")
            yield Message(text, told)
        elif expected * 2 < prize.stock:
            text = N_("All draws win about %(expected)s of %(title)s; there are %(stock)s.")
            yield Message(text, told)
    yield from _about_coupon(session, prize, facts)


def _about_coupon(session: Session, prize: DrawPrize, facts: dict[str, Any]) -> Iterator[Message]:
    reward = None if prize.reward is None else Reward.from_json(prize.reward)
    if reward is None or reward.kind is not RewardKind.COUPON:
        return
    template = session.get(CouponTemplate, reward.template_id)
    if template is None:
        yield Message(N_("The coupon of %(title)s does not exist."), facts)
    elif template.stock - template.issued < prize.stock * reward.amount:
        left = template.stock - template.issued
        text = N_("Of the coupon of %(title)s there are only %(left)s left.")
        yield Message(text, {**facts, "left": left})

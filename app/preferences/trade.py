"""Settings of the trade: owners, orders, plans, payouts, transfers. Pure."""

from typing import Final

from app.kernel.i18n import N_
from app.preferences.specs import AT_ONCE, DAY, HOUR, YEAR, YUAN, Group, Spec
from app.preferences.units import Unit

_BINDINGS_KEEP: Final = N_(
    "Bindings made before keep the periods they were made with; they stand on the binding."
)
_ORDERS_KEEP: Final = N_("Orders placed or handed over before keep the day they were promised.")
_PAYOUTS_KEEP: Final = N_("Payouts asked for before keep their amount and their transfers.")
_WECHAT: Final = N_(
    "WeChat Pay, merchant transfers. The limits differ by merchant: enter those of your contract."
)

TRADE: Final[tuple[Spec, ...]] = (
    Spec(
        name="binding_soft_seconds",
        group=Group.OWNERSHIP,
        unit=Unit.SPAN,
        label=N_("How long a touch binds"),
        governs=N_("How long a new customer belongs to whoever brought them, before paying."),
        keeps=_BINDINGS_KEEP,
        least=HOUR,
        most=YEAR,
        needs_second=True,
    ),
    Spec(
        name="binding_lock_seconds",
        group=Group.OWNERSHIP,
        unit=Unit.SPAN,
        label=N_("How long a paid order protects"),
        governs=N_("How long a customer stays with their owner after an order was paid."),
        keeps=_BINDINGS_KEEP,
        least=DAY,
        most=10 * YEAR,
        needs_second=True,
    ),
    Spec(
        name="existing_customers_bindable",
        group=Group.OWNERSHIP,
        unit=Unit.SWITCH,
        label=N_("Bind customers who bought before"),
        governs=N_("Whether somebody who bought before without an owner can still be bound."),
        keeps=_BINDINGS_KEEP,
        needs_second=True,
    ),
    Spec(
        name="code_misses_max",
        group=Group.OWNERSHIP,
        unit=Unit.COUNT,
        label=N_("Wrong share codes before a lock-out"),
        governs=N_("How many unknown codes one person may try; an address may try ten times that."),
        keeps=N_("Who is locked out already stays so until their time is over."),
        least=3,
        most=100,
    ),
    Spec(
        name="code_lock_seconds",
        group=Group.OWNERSHIP,
        unit=Unit.SPAN,
        label=N_("How long a lock-out lasts"),
        governs=N_("How long codes are refused after too many wrong ones."),
        keeps=AT_ONCE,
        least=60,
        most=DAY,
    ),
    Spec(
        name="order_pay_seconds",
        group=Group.ORDERS,
        unit=Unit.SPAN,
        label=N_("How long an order waits to be paid"),
        governs=N_("After this time an unpaid order is closed and its stock is free again."),
        keeps=_ORDERS_KEEP,
        least=5 * 60,
        most=2 * DAY,
    ),
    Spec(
        name="coupon_grace_seconds",
        group=Group.ORDERS,
        unit=Unit.SPAN,
        label=N_("How long a coupon that comes back is good"),
        governs=N_(
            "A coupon that a refund brings back near or after its end can be used so much longer,"
            " once; with 0 it expires."
        ),
        keeps=N_("Coupons that came back before keep the end they were given."),
        least=0,
        most=90 * DAY,
    ),
    Spec(
        name="after_sale_seconds",
        group=Group.ORDERS,
        unit=Unit.SPAN,
        label=N_("After-sale window"),
        governs=N_(
            "How long after handing over a customer may give back; commission matures afterwards."
        ),
        keeps=_ORDERS_KEEP,
        least=DAY,
        most=180 * DAY,
        source=N_(
            "Consumer Rights Protection Law, Article 25: seven days for what was bought remotely."
        ),
        needs_second=True,
    ),
    Spec(
        name="refund_auto_approve",
        group=Group.ORDERS,
        unit=Unit.SWITCH,
        label=N_("Approve simple refunds by themselves"),
        governs=N_("Whether refunds of orders that are still in our hands need nobody's approval."),
        keeps=N_("Refunds asked for before stay as they are."),
        needs_second=True,
    ),
    Spec(
        name="payout_cap_max_bp",
        group=Group.PLANS,
        unit=Unit.RATE,
        label=N_("Highest cap of a plan"),
        governs=N_("No plan may be published whose cap lies above this share of what is paid."),
        keeps=N_("Plans that are published already stay in force with the cap they have."),
        least=100,
        most=10_000,
        needs_second=True,
    ),
    Spec(
        name="tree_stop_people",
        group=Group.PLANS,
        unit=Unit.COUNT,
        label=N_("Paid people at which a team is stopped"),
        governs=N_("A team that reaches this and the tiers below is put under watch."),
        keeps=N_("Teams that were stopped or let go on before stay so."),
        least=3,
        most=30,
        source=N_(
            "Criminal Law, Article 224-1: prosecution begins at 30 people in three tiers; a lower"
            " line is allowed, a higher one is not."
        ),
        needs_second=True,
    ),
    Spec(
        name="tree_stop_tiers",
        group=Group.PLANS,
        unit=Unit.COUNT,
        label=N_("Tiers at which a team is stopped"),
        governs=N_("A team that reaches this and the people above is put under watch."),
        keeps=N_("Teams that were stopped or let go on before stay so."),
        least=2,
        most=3,
        source=N_(
            "Criminal Law, Article 224-1: prosecution begins at 30 people in three tiers; a lower"
            " line is allowed, a higher one is not."
        ),
        needs_second=True,
    ),
    Spec(
        name="tree_stops_joining",
        group=Group.PLANS,
        unit=Unit.SWITCH,
        label=N_("Stop newcomers of such a team"),
        governs=N_("Whether a team that reaches both figures takes no newcomers until let go on."),
        keeps=N_("Teams that were stopped or let go on before stay so."),
        needs_second=True,
    ),
    Spec(
        name="payout_min_fen",
        group=Group.PAYOUTS,
        unit=Unit.MONEY,
        label=N_("Least payout"),
        governs=N_("The least amount that somebody can ask to be paid."),
        keeps=_PAYOUTS_KEEP,
        least=10,
        most=10_000 * YUAN,
        needs_second=True,
    ),
    Spec(
        name="payout_max_fen",
        group=Group.PAYOUTS,
        unit=Unit.MONEY,
        label=N_("Largest payout"),
        governs=N_("The largest amount of one payout; the rest is asked for another time."),
        keeps=_PAYOUTS_KEEP,
        least=100,
        most=200_000 * YUAN,
        needs_second=True,
    ),
    Spec(
        name="payout_second_approval_fen",
        group=Group.PAYOUTS,
        unit=Unit.MONEY,
        label=N_("Payouts that two people approve"),
        governs=N_("From this amount on two different people approve."),
        keeps=N_("What was asked for under a lower line still needs two people."),
        least=0,
        most=200_000 * YUAN,
        needs_second=True,
    ),
    Spec(
        name="transfer_min_fen",
        group=Group.TRANSFERS,
        unit=Unit.MONEY,
        label=N_("Least transfer"),
        governs=N_("No payout is divided into transfers below this."),
        keeps=_PAYOUTS_KEEP,
        least=10,
        most=200 * YUAN,
        source=_WECHAT,
        needs_second=True,
    ),
    Spec(
        name="transfer_max_fen",
        group=Group.TRANSFERS,
        unit=Unit.MONEY,
        label=N_("Largest transfer"),
        governs=N_("Larger payouts are divided into several transfers."),
        keeps=_PAYOUTS_KEEP,
        least=100,
        most=200_000 * YUAN,
        source=_WECHAT,
        needs_second=True,
    ),
    Spec(
        name="transfer_member_day_fen",
        group=Group.TRANSFERS,
        unit=Unit.MONEY,
        label=N_("Most that one person receives in a day"),
        governs=N_("Transfers beyond it wait for the next day."),
        keeps=N_("Transfers already sent stay sent; waiting ones follow the new limit."),
        least=100,
        most=200_000 * YUAN,
        source=_WECHAT,
        needs_second=True,
    ),
    Spec(
        name="transfer_merchant_day_fen",
        group=Group.TRANSFERS,
        unit=Unit.MONEY,
        label=N_("Most that the merchant sends in a day"),
        governs=N_("Transfers beyond it wait for the next day."),
        keeps=N_("Transfers already sent stay sent; waiting ones follow the new limit."),
        least=100,
        most=50_000_000 * YUAN,
        source=_WECHAT,
        needs_second=True,
    ),
)

"""The parameters of chain 2+1.

What the trade also offers under this name, and why it is no parameter here:

- Only people of given levels are left behind (and `leave_to` the nearest of given levels). There
  are two roles, and whoever has a parent is an agent: a boss stands at the top of a team.
- A platform root. Nobody is the platform: `leave_to` PLATFORM and people without a recommender
  make teams of their own, which pays the same.
- A promoted member returns to the team they left. Their pay would change without any order, and no
  event of a plan could be replayed to show why.
- The peer reward at the expense of the boss (培育奖 paid by the member) and rewards to all departed
  (伯乐奖). A reward is the brand's to pay: one taken out of another person's would move with the
  refunds of that person's orders.
- A support fund (帮扶基金): a share withheld until a team has done a task. It is pay by the team's
  performance, a lock on earnings besides, and off by default in the trade; an award here matures
  by time alone and is never at the mercy of what others sell.
- A fixed sum for each person left behind (见点奖), or until one's own purchase is paid back
  (回本奖). Both pay for heads without an order of theirs; an award here always has an order line as
  its base.
- Five levels unlocked by two recruits, newcomers who slip to the grandparent from the third on, and
  compressed double networks: other models under the same name.

When commission matures is `settle_seconds`, as in every plan; when an order counts `effective_at`.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from app.engines.parameters import (
    FEN_MAX,
    Conduct,
    Count,
    Entry,
    Moment,
    Parameters,
    PlanParameters,
    ProductId,
    RateBp,
)

ENTRY_PRODUCTS_MAX = 1_000
DEPTH_MAX = 99
PositiveFen: TypeAlias = Annotated[int, Field(ge=1, le=FEN_MAX)]


class LeaveScope(StrEnum):
    """Who of a promoted member's team stays behind with the old team."""

    ALL = "ALL"
    FIRST_N = "FIRST_N"


class LeaveTo(StrEnum):
    """To whom those stay who are left behind."""

    NEAREST_BOSS = "NEAREST_BOSS"
    PARENT = "PARENT"
    PLATFORM = "PLATFORM"


class PeerBase(StrEnum):
    """Of which rewards of the departed boss the peer reward is a share."""

    TEAM = "TEAM"
    ALL = "ALL"


class PromotionBy(StrEnum):
    """What makes a boss of an agent."""

    RECRUITS = "RECRUITS"
    OWN_SALES = "OWN_SALES"


class Repurchase(StrEnum):
    """What an order pays whose buyer has a place already."""

    NOTHING = "NOTHING"
    TWO_LEVEL = "TWO_LEVEL"


class Role(StrEnum):
    """What somebody is in the chain."""

    AGENT = "AGENT"
    BOSS = "BOSS"


class Reward(Parameters):
    """A rate of what was paid for a line, or a fixed sum for a package; one of the two."""

    rate_bp: RateBp | None = None
    fixed_fen: PositiveFen | None = None

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.rate_bp is None) == (self.fixed_fen is None):
            raise PydanticCustomError("rate_or_fixed", "either a rate or a fixed sum")
        return self

    @property
    def pays(self) -> bool:
        """Tell whether there is anything to get."""
        return bool(self.rate_bp or self.fixed_fen)


class Pay(Parameters):
    """A reward by the role of whoever brought the buyer."""

    agent: Reward
    boss: Reward


def rate_for_all(rate_bp: int) -> Pay:
    """Return the same rate whoever brought the buyer."""
    return Pay(agent=Reward(rate_bp=rate_bp), boss=Reward(rate_bp=rate_bp))


def fixed_for_all(fixed_fen: int) -> Pay:
    """Return the same fixed sum whoever brought the buyer."""
    return Pay(agent=Reward(fixed_fen=fixed_fen), boss=Reward(fixed_fen=fixed_fen))


def _fault(code: str, text: str, *, below: str = "") -> PydanticCustomError:
    facts: dict[str, Any] = {"below": below}
    return PydanticCustomError(code, text, facts)


class ChainRules(PlanParameters):
    """Chain 2+1: agents bring buyers, bosses earn on their teams, and the promoted leave theirs.

    Joining. With `conduct.entry` FREE whoever is approved becomes an agent under who recommended
    them. With BUY_PACKAGE whoever buys a package does: a line of at least `entry_price_fen` with
    one of `entry_product_ids` (none named: any product that pays commission). Without a recommender
    who has a place, people join at the top of a team of their own, as `root_role`.

    Pay. `direct` goes to whoever brought the buyer, `team` to the nearest boss above the buyer,
    both by the role of whoever brought the buyer. Rates are paid on every line, fixed sums once an
    order, for its first line that is a package. `peer_bp` of the boss's team reward (with
    `peer_base` ALL of their direct reward too) goes to the boss whose team that boss left. Nobody
    further than `max_depth` above the buyer earns; None is without an end. An order of somebody
    who has a place already is a `repurchase`.

    Promotion. By RECRUITS at `promote_count` of them: those who left count, those left behind to
    one only with `count_left_behind`; with AFTER_SALE_CLOSED a recruit counts once their joining
    order is settled. By OWN_SALES at `promote_sales_fen` of settled sales to own customers. The
    threshold of the way that is not used is kept and not looked at. The promoted leave with nobody
    (ALL stay), or the first `leave_count` by number of member stay behind (FIRST_N). Somebody
    promoted at the top of a team has nothing to leave and keeps everybody, unless
    `root_keeps_children` is off, where those who are left go to the PLATFORM.

    The defaults may be published: entry is free, all pay is a rate of real orders and reaches two
    people at most, heads promote nobody, and leaving a team ends all pay to it.
    """

    model: Literal["CHAIN_2_1"] = "CHAIN_2_1"
    entry_price_fen: PositiveFen | None = None
    entry_product_ids: Annotated[tuple[ProductId, ...], Field(max_length=ENTRY_PRODUCTS_MAX)] = ()
    root_role: Role = Role.AGENT
    direct: Pay = rate_for_all(1_000)
    team: Pay = rate_for_all(500)
    max_depth: Annotated[int, Field(ge=1, le=DEPTH_MAX)] | None = 2
    peer_bp: RateBp = 0
    peer_base: PeerBase = PeerBase.TEAM
    promotion_by: PromotionBy = PromotionBy.OWN_SALES
    promotion_effective: Literal[Moment.PAID, Moment.AFTER_SALE_CLOSED] = Moment.AFTER_SALE_CLOSED
    promote_count: Count | None = None
    promote_sales_fen: PositiveFen | None = 500_000
    count_left_behind: bool = False
    leave_scope: LeaveScope = LeaveScope.ALL
    leave_count: Count | None = None
    leave_to: LeaveTo = LeaveTo.NEAREST_BOSS
    root_keeps_children: bool = True
    repurchase: Repurchase = Repurchase.NOTHING
    repurchase_first_bp: RateBp = 0
    repurchase_second_bp: RateBp = 0

    @field_validator("conduct")
    @classmethod
    def _an_entry_that_there_is(cls, conduct: Conduct) -> Conduct:
        if conduct.entry not in {Entry.FREE, Entry.BUY_PACKAGE}:
            raise _fault("chain_entry", "no such entry", below="entry")
        return conduct

    @field_validator("entry_price_fen")
    @classmethod
    def _a_package_has_a_price(cls, price_fen: int | None, info: ValidationInfo) -> int | None:
        conduct = info.data.get("conduct")
        if price_fen is None and conduct is not None and conduct.entry is Entry.BUY_PACKAGE:
            raise _fault("missing", "a package has a price")
        return price_fen

    @field_validator("entry_product_ids")
    @classmethod
    def _products_have_a_price(
        cls, product_ids: tuple[int, ...], info: ValidationInfo
    ) -> tuple[int, ...]:
        if product_ids and info.data.get("entry_price_fen", 1) is None:
            raise _fault("package_price_needed", "no price")
        return product_ids

    @field_validator("direct", "team")
    @classmethod
    def _fixed_sums_are_for_packages(cls, pay: Pay, info: ValidationInfo) -> Pay:
        if info.data.get("entry_price_fen", 1) is None:
            for role, reward in (("agent", pay.agent), ("boss", pay.boss)):
                if reward.fixed_fen is not None:
                    raise _fault("package_price_needed", "no price", below=f"{role}.fixed_fen")
        return pay

    @field_validator("promotion_effective")
    @classmethod
    def _something_settles(cls, moment: Moment, info: ValidationInfo) -> Moment:
        by, conduct = info.data.get("promotion_by"), info.data.get("conduct")
        if by is PromotionBy.OWN_SALES and moment is Moment.PAID:
            raise _fault("promotion_settled", "own sales are settled ones")
        is_free = conduct is not None and conduct.entry is Entry.FREE
        if by is PromotionBy.RECRUITS and is_free and moment is Moment.AFTER_SALE_CLOSED:
            raise _fault("promotion_unsettled", "no order settles")
        return moment

    @field_validator("promote_count")
    @classmethod
    def _recruits_are_counted(cls, count: int | None, info: ValidationInfo) -> int | None:
        if count is None and info.data.get("promotion_by") is PromotionBy.RECRUITS:
            raise _fault("missing", "how many")
        return count

    @field_validator("promote_sales_fen")
    @classmethod
    def _sales_are_added_up(cls, sales_fen: int | None, info: ValidationInfo) -> int | None:
        if sales_fen is None and info.data.get("promotion_by") is PromotionBy.OWN_SALES:
            raise _fault("missing", "how much")
        return sales_fen

    @field_validator("leave_count")
    @classmethod
    def _the_first_are_numbered(cls, count: int | None, info: ValidationInfo) -> int | None:
        scope = info.data.get("leave_scope")
        if count is None and scope is LeaveScope.FIRST_N:
            raise _fault("missing", "how many")
        if count is not None and scope is LeaveScope.ALL:
            raise _fault("none_required", "all are")
        return count

    @field_validator("root_keeps_children")
    @classmethod
    def _a_root_has_nobody_above(cls, keeps: bool, info: ValidationInfo) -> bool:  # noqa: FBT001
        if not keeps and info.data.get("leave_to", LeaveTo.PLATFORM) is not LeaveTo.PLATFORM:
            raise _fault("root_leaves_to", "nobody above")
        return keeps

    @field_validator("repurchase_second_bp")
    @classmethod
    def _repurchases_pay_or_not(cls, second_bp: int, info: ValidationInfo) -> int:
        kind, first_bp = info.data.get("repurchase"), info.data.get("repurchase_first_bp")
        if first_bp is None or kind is None:
            return second_bp
        if (kind is Repurchase.TWO_LEVEL) != bool(first_bp or second_bp):
            raise _fault("repurchase_rates", "rates or none")
        return second_bp

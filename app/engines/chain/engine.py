"""Chain 2+1: agents bring people, bosses earn on their teams, the promoted leave theirs.

The order within one event is part of the model. An order that makes a member pays with everybody's
role as it was before; then the newcomer is placed, counts with whoever recommended them, and these
may be promoted. So the reward of the team for the last recruit that somebody needed still goes to
their old boss. Nothing looks further up for a boss who cannot earn, and a recommender who is frozen
or gone still has their recruits below them, and they count.
"""

from app.engines.chain.paying import pay, pay_repurchase
from app.engines.chain.rules import ChainRules, PromotionBy
from app.engines.chain.teams import ChainPlace, NoteCode, Teams
from app.engines.events import Event, Joined, Refunded, Settled, Sold
from app.engines.parameters import Entry, Moment
from app.engines.people import Line, Sale
from app.engines.places import Places
from app.engines.results import NOTHING, Decisions


def decide(rules: ChainRules, event: Event, places: Places[ChainPlace]) -> Decisions:
    """Return what an event pays, and the places that it changes.

    >>> from app.engines.people import Person, Standing
    >>> from app.engines.places import Board
    >>> board = Board([ChainPlace(member_id=11, role="BOSS")])
    >>> sale = Sale(7, Person(1), (Line(70, product_id=5, base_fen=25_999),))
    >>> decisions = decide(ChainRules(), Sold(sale, (Person(11, 1, Standing.ACTIVE),)), board)
    >>> [(award.beneficiary_id, award.kind.value, award.amount_fen) for award in decisions.awards]
    [(11, 'DIRECT', 2599), (11, 'TEAM', 1299)]
    """
    match event:
        case Sold():
            return _sold(rules, event, places)
        case Settled():
            return _settled(rules, event, places)
        case Refunded():
            return _refunded(rules, event, places)
        case Joined():
            return _joined(rules, event, places)


def _sold(rules: ChainRules, event: Sold, places: Places[ChainPlace]) -> Decisions:
    """Pay for an order, then let it make a member of its buyer, where it does."""
    sale, chain = event.sale, event.chain
    place = places.get(sale.buyer.member_id)
    if place is not None and not place.revoked:
        return pay_repurchase(rules, event, places)
    package = _package(rules, sale)
    paid = pay(rules, event, places, package)
    if package is None or rules.conduct.entry is not Entry.BUY_PACKAGE:
        return paid
    teams = Teams(rules, places)
    owner_id = chain[0].member_id if chain else None
    counts = rules.promotion_effective is Moment.PAID
    teams.join(sale.buyer.member_id, owner_id, sale.order_id, counts=counts)
    return _told(teams, paid)


def _settled(rules: ChainRules, event: Settled, places: Places[ChainPlace]) -> Decisions:
    """Let a joining order count that waited for this, and add to the owner's sales."""
    sale, chain = event.sale, event.chain
    net_fen = sum(line.base_fen for line in sale.lines)
    teams = Teams(rules, places)
    if net_fen and _awaits(places.get(sale.buyer.member_id), sale.order_id):
        teams.count(sale.buyer.member_id)
    owner_id = chain[0].member_id if chain else None
    if net_fen:
        teams.sell(_seller(rules, owner_id, sale.buyer.member_id), net_fen)
    return _told(teams)


def _refunded(rules: ChainRules, event: Refunded, places: Places[ChainPlace]) -> Decisions:
    """Take a membership back whose order is undone; after settlement no place moves any more."""
    teams = Teams(rules, places)
    place = places.get(event.buyer_id)
    if event.is_settled:
        teams.sell(_seller(rules, event.owner_id, event.buyer_id), -event.refunded_fen)
    elif event.remaining_fen == 0 and place is not None and place.order_id == event.order_id:
        teams.revoke(event.buyer_id, event.refund_id)
    return _told(teams)


def _joined(rules: ChainRules, event: Joined, places: Places[ChainPlace]) -> Decisions:
    """Let somebody in who was approved, where nothing has to be bought for it."""
    if rules.conduct.entry is not Entry.FREE:
        return NOTHING
    teams = Teams(rules, places)
    member_id = event.person.member_id
    if places.get(member_id) is None:
        teams.join(member_id, event.recommender_id, None, counts=True)
    else:
        teams.note(NoteCode.ALREADY_PLACED, member_id=member_id)
    return _told(teams)


def _package(rules: ChainRules, sale: Sale) -> Line | None:
    """Return the first line that is a package, whatever its quantity; an order has one at most."""
    if rules.entry_price_fen is None:
        return None
    for line in sale.lines:
        is_named = not rules.entry_product_ids or line.product_id in rules.entry_product_ids
        if line.distributable and is_named and line.base_fen >= rules.entry_price_fen:
            return line
    return None


def _awaits(place: ChainPlace | None, order_id: int) -> bool:
    """Tell whether this order made a place that does not count yet."""
    if place is None or place.order_id != order_id:
        return False
    return not place.revoked and not place.counted


def _seller(rules: ChainRules, owner_id: int | None, buyer_id: int) -> int | None:
    """Return whose sales an order adds to, where sales matter; nobody is their own customer."""
    if rules.promotion_by is not PromotionBy.OWN_SALES or owner_id == buyer_id:
        return None
    return owner_id


def _told(teams: Teams, paid: Decisions = NOTHING) -> Decisions:
    changed, notes = tuple(teams.changed.values()), tuple(teams.notes)
    return Decisions(paid.awards, paid.refusals, changed, notes)

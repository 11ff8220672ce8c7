"""Finding the customers and stores that rows name, in sets and only where the importer works.

What lies outside the importer's stores is answered like what does not exist.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.imports.columns import Row
from app.imports.contract import Scene
from app.imports.fields import tidy
from app.kernel.i18n import N_
from app.kernel.secrecy import vault
from app.members.expected import ExpectedMember
from app.members.models import Member, MemberStore
from app.stores.models import Store

NO_CUSTOMER = N_("There is no such customer.")
SEVERAL = N_("Several customers have this phone number. Give the customer no. instead.")


def hashed(phone: str) -> str:
    """Return the keyed hash that a phone number is found by."""
    return vault().look_up("phone", phone)


@dataclass(frozen=True, slots=True)
class People:
    """Customers by their number, and by the hash of their phone."""

    ids: frozenset[int]
    by_phone: Mapping[str, Sequence[int]]
    expected: Mapping[str, tuple[int, int | None]]
    """By hash: the expected customer, and the member who has claimed them, if any."""


def find_people(
    session: Session, rows: Iterable[Row], scene: Scene, *, no: str, phone: str
) -> People:
    """Look up every customer that rows name in two columns: a number, and a phone."""
    numbers = {row.values[no] for row in rows if no in row.values}
    hashes = {hashed(row.values[phone]) for row in rows if phone in row.values}
    wanted = sa.or_(Member.id.in_(numbers), Member.phone_hash.in_(hashes))
    query = sa.select(Member.id, Member.phone_hash).where(wanted, Member.deleted_at.is_(None))
    of_file = sa.select(
        ExpectedMember.phone_hash, ExpectedMember.id, ExpectedMember.claimed_by_id
    ).where(ExpectedMember.phone_hash.in_(hashes))
    if scene.store_ids is not None:
        query = query.where(known_to(scene.store_ids))
        of_file = of_file.where(ExpectedMember.origin_store_id.in_(scene.store_ids))
    ids: set[int] = set()
    by_phone: defaultdict[str, list[int]] = defaultdict(list)
    for member_id, phone_hash in session.execute(query.order_by(Member.id)):
        ids.add(int(member_id))
        by_phone[phone_hash or ""].append(int(member_id))
    expected = {one[0]: (int(one[1]), one[2]) for one in session.execute(of_file)}
    return People(frozenset(ids), by_phone, expected)


def known_to(store_ids: Collection[int]) -> sa.ColumnElement[bool]:
    """Tell of a member whether one of these stores knows them: the back office's own rule.

    Who came from a store, bought there, belongs to it or to one of its distributors; the database
    keeps these ties.
    """
    return Member.id.in_(
        sa.select(MemberStore.member_id).where(MemberStore.store_id.in_(store_ids))
    )


def pick_member(row: Row, people: People, *, no: str, phone: str) -> int | None:
    """Return the customer that a row names; notes why where there is not exactly one."""
    if no in row.values:
        number: int = row.values[no]
        if number in people.ids:
            return number
        row.refuse(no, "customer_unknown", NO_CUSTOMER)
        return None
    if phone not in row.values:
        return None
    found = people.by_phone.get(hashed(row.values[phone]), ())
    if len(found) == 1:
        return found[0]
    if found:
        row.refuse(phone, "customer_ambiguous", SEVERAL)
    else:
        row.refuse(phone, "customer_unknown", NO_CUSTOMER)
    return None


def find_stores(
    session: Session, rows: Iterable[Row], scene: Scene, *, column: str = "store"
) -> None:
    """Put the id of the store that each row names, by name or number, into `found`."""
    texts = {row.values[column] for row in rows if column in row.values}
    by_text = _stores(session, texts, scene) if texts else {}
    for row in rows:
        if column not in row.values:
            continue
        store_id = by_text.get(tidy(row.values[column]).casefold())
        if store_id is None:
            row.refuse(column, "store_unknown", N_("There is no such store among yours."))
        row.found["store_id"] = store_id


def _stores(session: Session, texts: Collection[str], scene: Scene) -> dict[str, int]:
    """Return ids by name or number; a name goes before a number."""
    query = sa.select(Store.id, Store.name)
    if scene.store_ids is not None:
        query = query.where(Store.id.in_(scene.store_ids))
    stores = session.execute(query).all()
    found = {str(one.id): int(one.id) for one in stores}
    found |= {tidy(one.name).casefold(): int(one.id) for one in stores}
    wanted = {tidy(one).casefold() for one in texts}
    return {name: store_id for name, store_id in found.items() if name in wanted}


def demand_store(rows: Iterable[Row], scene: Scene, *, column: str = "store") -> None:
    """Refuse rows without a store where the importer works at some stores only."""
    if scene.store_ids is None:
        return
    for row in rows:
        if column not in row.values:
            row.refuse(column, "store_required", N_("Name one of your stores."))

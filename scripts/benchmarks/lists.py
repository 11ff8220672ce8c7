"""(t) Lists of the back office in a brand of millions: first pages, deep pages, filters, searches.

Asked for over HTTP by staff who signed in as people do: an owner, who sees everything, and managers
of a large, a middling and a tiny store, whose scope is what makes lists slow. The figure of a list
is its slowest page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from scripts.benchmarks import brand
from scripts.benchmarks.brand import Size
from scripts.benchmarks.desks import Person, appoint, sign_in
from scripts.benchmarks.lab import Bench, Lab
from scripts.benchmarks.load import Ask, Plan, put_load
from scripts.benchmarks.table import Row

AIM_MS: Final = 150
ASKS: Final = 24
CONNECTIONS: Final = 2
MIDDLING: Final = 57

OWNER: Final = Person("owner")
MANAGERS: Final = {
    "manager of a large store": Person("store_manager", (1,)),
    "manager of a middling store": Person("store_manager", (MIDDLING,)),
    "manager of a tiny store": Person("store_manager", (brand.STORES,)),
}


@dataclass(frozen=True, slots=True)
class Look:
    """One page of one list."""

    endpoint: str
    what: str
    query: str = ""

    @property
    def path(self) -> str:
        """Return the address."""
        return f"/admin/{self.endpoint}/" + (f"?{self.query}" if self.query else "")


@dataclass(frozen=True, slots=True)
class Slowest:
    """The slowest page of a list so far."""

    ms: float
    what: str


def looks(size: Size) -> Iterator[Look]:
    """Return what is asked of each list: how it begins, far behind, narrowed, and searched."""
    deep = {
        "members": size.members // 2,
        "bindings": size.members // 4,
        "touches": size.members // 2,
        "orders": size.orders // 2,
        "refunds": size.orders // 200,
        "distributors": size.distributors // 2,
        "awards": size.orders // 4,
        "payouts": size.members // 20,
        "ledger_entries": size.ledger_rows // 4,
        "ledger_accounts": size.distributors,
        "share_codes": size.distributors // 2,
        "channels": size.distributors // 2,
    }
    for endpoint, key in deep.items():
        yield Look(endpoint, "first page")
        yield Look(endpoint, "far behind", f"after={key}")
    yield from (Look(*one) for one in NARROWED)


NARROWED: Final = (
    ("members", "whole nickname", "search=周丽65156"),
    ("members", "part of a nickname", "search=周丽6515"),
    ("members", "common surname", "search=周"),
    ("members", "never bought", "bought=no"),
    ("members", "oldest first buyers", "sort=first_paid_at&desc=0"),
    ("members", "newest first buyers", "sort=first_paid_at&desc=1"),
    ("members", "by registration", "sort=registered_at&desc=0"),
    ("orders", "order number", "search=B00000000000000012345"),
    ("orders", "paid", "state=paid"),
    ("orders", "closed", "state=closed"),
    ("orders", "one store", "store=57"),
    ("orders", "tiny store", "store=200"),
    ("orders", "one customer", "member=77777"),
    ("orders", "one distributor", "owner=777"),
    ("orders", "dearest first", "sort=payable_fen&desc=1"),
    ("orders", "one day", "paid_from=2026-06-01&paid_to=2026-06-01"),
    ("orders", "created in a month", "created_from=2026-06-01&created_to=2026-06-30"),
    ("refunds", "to approve", "state=requested"),
    ("refunds", "failed", "state=abnormal"),
    ("awards", "one distributor", "distributor=777"),
    ("awards", "pending", "state=pending"),
    ("awards", "void", "state=void"),
    ("payouts", "to approve", "state=requested"),
    ("bindings", "one customer", "customer=77777"),
    ("bindings", "expired", "state=expired"),
    ("distributors", "applications", "standing=applied"),
    ("distributors", "part of a name", "search=周丽6"),
    ("ledger_accounts", "debts", "holds=debt"),
    ("ledger_accounts", "one distributor", "distributor=777"),
    ("ledger_entries", "one day", "at_from=2026-06-01&at_to=2026-06-01"),
    ("touches", "one customer", "member=77777"),
)
"""Narrowed lists: rare and common values, and what no row has."""


def measure(lab: Lab, *, size: Size) -> None:
    """Print the slowest page of every list."""
    people = {"owner": OWNER, **MANAGERS}
    with lab.database("lists") as bench:
        brand.build(bench, size)
        for person in people.values():
            appoint(bench, person)
        slowest = slowest_pages(bench, people, list(looks(size)))
    for endpoint, one in sorted(slowest.items()):
        lab.add(
            Row(
                name=f"(t) {endpoint}, p95: {one.what}"[:58],
                value=one.ms,
                unit="ms",
                aim=f"<= {AIM_MS} ms",
                met=one.ms <= AIM_MS,
            )
        )


def slowest_pages(
    bench: Bench, people: dict[str, Person], wanted: Sequence[Look]
) -> dict[str, Slowest]:
    """Ask for every page that each person may see; keep the slowest of each list."""
    found: dict[str, Slowest] = {}
    with bench.web() as web:
        for who, person in people.items():
            cookie = sign_in(web.port, person)
            for look in wanted:
                if person.role != OWNER.role and look.endpoint in NOT_FOR_MANAGERS:
                    continue
                ask = Ask(path=look.path, cookie=cookie)
                plan = Plan(port=web.port, asks=[ask] * ASKS, connections=CONNECTIONS)
                one = Slowest(put_load(plan).p95_ms, f"{look.what}, {who}")
                if one.ms > found.get(look.endpoint, Slowest(0, "")).ms:
                    found[look.endpoint] = one
    return found


NOT_FOR_MANAGERS: Final = frozenset({"awards", "payouts", "ledger_accounts", "ledger_entries"})

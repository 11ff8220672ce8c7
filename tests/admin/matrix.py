"""What the permission table and the place of a row say about every pair of person and page.

Nothing here asks a view what it would answer: who may do what comes from `allowed_by`, and where a
row is from the world that was built.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.orm import Session

from app.stores.models import Region, Staff
from app.stores.permissions import Permission, RoleName, allowed_by
from tests.admin.conftest import Desk
from tests.admin.house import House
from tests.admin.place import Place
from tests.admin.world import OWN_PERMISSIONS, OWN_ROLE
from tests.factories.people import make_staff

OF_BRAND: Final = frozenset(
    {
        *("products", "plan_versions", "roles", "simulations", "tags"),
        *("membership_levels", "member_tasks"),
    }
)
"""Rows without a store that everybody with the permission sees."""
OF_HEADQUARTERS: Final = frozenset(
    {"message_templates", "ledger_entries", "tasks", "notices", "settings", "audit_checks"}
)
"""Rows without a store that only staff of the whole brand see."""
OF_REGION: Final = frozenset({"regions"})
"""Rows that two stores share where they lie in one region."""
ALSO: Final = {"imports": frozenset({Permission.STOCK_EDIT})}
"""What else it takes to see the rows of a view: the file of the world brings stock."""

ROLES: Final = (*(one.value for one in RoleName), OWN_ROLE)
ONE_STORE, REGION, ALL_STORES = "one-store", "region", "all-stores"
REACHES: Final = (ONE_STORE, REGION, ALL_STORES)
ABSENT: Final = 999_999_999
WORDS: Final = (
    "store|customer|seller|applicant|counter|author|colleague|note|task|suspicion|buyer|asks|region"
    "|reason|request|claim of|old order|VIP|rows\\.csv"
    "|voucher|coupon customer|push|trial|card friend|poster|doubtful customer|sale|group leader"
    "|grown customer|collector|gift set|reader|opinion|segment|campaign|spring|care|said|questions"
    "|answer|lucky customer|invited customer"
)
"""What the names of everything that belongs to a store end in."""
NUMBERED: Final = (
    *("orders", "refunds", "payouts", "awards", "share_codes", "clawbacks"),
    "mall_exchanges",
)
"""Lists whose rows are known by a number."""
STORE_NAME: Final = re.compile(r"\b(Beside|There) store\b")
"""A plan is the brand's: whoever drafts one says in which of all its stores it holds."""
TEXTS: Final = ("text/", "application/json")

Seen = tuple[Place, bool]


@dataclass
class Person:
    """Somebody with one role, at one store, in one region or everywhere."""

    desk: Desk
    allowed: frozenset[Permission]
    reach: str
    house: House
    pairs: int = 0
    secrets: re.Pattern[str] = field(default_factory=lambda: re.compile("(?!)"))

    @property
    def sees_all(self) -> bool:
        """Tell whether all stores are theirs."""
        return self.reach == ALL_STORES

    def may(self, *needed: Permission) -> bool:
        """Tell what the table says."""
        return set(needed) <= self.allowed

    def places(self, endpoint: str) -> list[Seen]:
        """Return where rows of a view are, with whether this person may see those there."""
        world = self.house.world
        if endpoint in OF_BRAND:
            return [(world.brand, True)]
        if endpoint in OF_HEADQUARTERS:
            return [(world.brand, self.sees_all)]
        knows = ALSO.get(endpoint, frozenset()) <= self.allowed
        near = [] if endpoint in OF_REGION else [(self.house.beside, self.reach != ONE_STORE)]
        found = [(world.here, True), *near, (world.there, self.sees_all)]
        return [(place, is_seen and knows) for place, is_seen in found]

    def rows(
        self, endpoint: str, *, may: bool, are_few: bool = False
    ) -> Iterator[tuple[int | str, bool, bool]]:
        """Yield the ids of rows of a view, whether they are seen, whether they are foreign.

        The last one is of no row at all. Of what is closed to them as a whole, one row will do.
        A few are the farthest row, and where that is foreign one that is not.
        """
        found = self.places(endpoint)
        if are_few:
            found = found[-1:] if found[-1][1] else [*found[:-1][:1], found[-1]]
        for place, is_seen in found if may else found[:1]:
            yield place.ids[endpoint], is_seen, not is_seen
        if may:
            yield ABSENT, False, False

    def get(self, status: int, path: str, **query: Any) -> Any:
        """Open a page and compare the answer with what the table says."""
        return self.expect(self.desk.get(path, **query), status, f"GET {path} {query}")

    def post(self, status: int, path: str, data: dict[str, Any]) -> Any:
        """Send a form and compare the answer with what the table says."""
        return self.expect(self.desk.post(path, data), status, f"POST {path} {data}")

    def expect(self, answer: Any, status: int, what: str) -> Any:
        """Compare one answer, count it, and look for what is another store's."""
        self.pairs += 1
        assert answer.status_code == status, f"{what}: {answer.status_code}, not {status}"
        text = text_of(answer)
        if "/plan_versions/" in what:
            text = STORE_NAME.sub("", text)
        found = self.secrets.search(text)
        assert found is None, f"{what} tells of {found}"
        return answer


def text_of(answer: Any) -> str:
    """Return all texts of an answer, those within a workbook too."""
    if answer.mimetype.startswith(TEXTS):
        return str(answer.get_data().decode("utf-8-sig"))
    if answer.mimetype.endswith("sheet"):
        with zipfile.ZipFile(io.BytesIO(answer.get_data())) as file:
            return "".join(file.read(name).decode() for name in file.namelist())
    return ""


def seat(
    house: House, session: Session, sit_down: Callable[..., Desk], role: str, reach: str
) -> Person:
    """Seat somebody with a role and a reach."""
    staff = person_of(house, session, role, reach)
    stored = sorted(OWN_PERMISSIONS) if role == OWN_ROLE else ()
    person = Person(sit_down(staff=staff), allowed_by(role, stored), reach, house)
    person.secrets = secrets_of(house, reach)
    return person


def person_of(house: House, session: Session, role: str, reach: str) -> Staff:
    """Make the person alone."""
    here = house.world.here.store
    staff = make_staff(
        session,
        role,
        stores=[here] if reach == ONE_STORE else [],
        sees_all_stores=reach == ALL_STORES,
    )
    if reach == REGION:
        staff.regions = [session.get_one(Region, here.region_id)]
    session.flush()
    return staff


def secrets_of(house: House, reach: str) -> re.Pattern[str]:
    """Return what no page may tell somebody: names and numbers of stores out of their reach."""
    foreign = {
        ONE_STORE: [("Beside", house.beside), ("There", house.world.there)],
        REGION: [("There", house.world.there)],
        ALL_STORES: [],
    }[reach]
    if not foreign:
        return re.compile("(?!)")
    names = "|".join(name for name, _place in foreign)
    numbers = [
        re.escape(place.marks[endpoint]) for _name, place in foreign for endpoint in NUMBERED
    ]
    return re.compile(rf"\b({names}) ({WORDS})\b|{'|'.join(numbers)}")


def _owner_of(place: Place) -> int:
    assert place.owner is not None
    return place.owner.member_id


OFFERED: dict[str, Callable[[Place], int]] = {
    "distributors": _owner_of,
    "stores": lambda place: place.store.id,
}
"""Which row of a place a lookup offers."""

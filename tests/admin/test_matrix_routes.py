"""The ways in that lists, details and forms do not have; and no route is without its rows here.

Each is asked by everybody about own, foreign and absent rows; what is expected comes from the
permission table and from where the rows are.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.plans.models import PlanVersion
from app.stores.permissions import Permission as May
from tests.admin.conftest import Desk
from tests.admin.house import House
from tests.admin.matrix import ABSENT, REACHES, ROLES, Person, seat, text_of
from tests.admin.place import Place
from tests.factories.plan_rows import SHAREHOLDERS, version_of


@pytest.fixture
def session(house: House) -> Iterator[Session]:
    with house.as_found() as session:
        yield session


@dataclass(frozen=True)
class Way:
    """A route of its own: what it takes to come in, and about which rows it is asked."""

    endpoint: str
    path: str
    needs: tuple[May, ...] = ()
    rows: str = ""
    """The list whose rows it is about; nothing for ways that are about none."""
    method: str = "GET"
    seen: int = 200
    """What is answered about a row that is seen."""
    sent: Callable[[Place], dict[str, Any]] = lambda _place: {}
    """What is sent besides the row."""
    query: dict[str, Any] = field(default_factory=dict)


def _evidence(place: Place) -> dict[str, Any]:
    return {"file": place.parts["evidence"]}


def _picture(place: Place) -> dict[str, Any]:
    return {"picture": place.parts["review_picture"]}


PARTS: Final = ("evidence", "review_picture")

ROW_WAYS: Final = (
    Way(
        "reviews.picture_view",
        "/reviews/picture/",
        (May.REVIEWS_VIEW,),
        "reviews",
        sent=_picture,
    ),
    Way("members.timeline_view", "/members/timeline/", (May.MEMBERS_VIEW,), "members"),
    Way(
        "members.phone_view",
        "/members/phone/",
        (May.MEMBERS_VIEW, May.MEMBERS_PHONE),
        "members",
        method="POST",
    ),
    Way(
        "privacy_requests.copy_view",
        "/privacy_requests/copy/",
        (May.PRIVACY_VIEW, May.PRIVACY_DECIDE),
        "privacy_requests",
        method="POST",
        seen=302,
    ),
    Way(
        "disputes.evidence_view",
        "/disputes/evidence/",
        (May.BINDINGS_VIEW,),
        "disputes",
        sent=_evidence,
    ),
    Way(
        "poster_templates.picture_view",
        "/poster_templates/picture/",
        (May.POSTERS_VIEW,),
        "poster_templates",
    ),
    Way(
        "poster_templates.preview_view",
        "/poster_templates/preview/",
        (May.POSTERS_VIEW, May.POSTERS_EDIT),
        "poster_templates",
        method="POST",
    ),
    Way(
        "poster_templates.of_code_view",
        "/poster_templates/of-code/",
        (May.POSTERS_VIEW, May.SHARE_CODES_VIEW),
        "share_codes",
    ),
    Way("team.path_view", "/team/path/", (May.DISTRIBUTORS_VIEW,), "team"),
    Way("imports.status", "/imports/status/", (May.IMPORTS,), "imports"),
    Way("imports.wrong_rows", "/imports/rows/csv/", (May.IMPORTS,), "imports"),
    Way("imports.wrong_rows", "/imports/rows/xlsx/", (May.IMPORTS,), "imports"),
    Way("audit_checks.status", "/audit_checks/status/", (May.AUDIT_VIEW,), "audit_checks"),
    Way("simulations.status", "/simulations/status/", (May.PLANS_VIEW,), "simulations"),
    Way(
        "simulations.table",
        "/simulations/table/months/",
        (May.PLANS_VIEW, May.EXPORTS),
        "simulations",
    ),
    Way("plan_versions.file_view", "/plan_versions/file/", (May.PLANS_VIEW,), "plan_versions"),
    Way(
        "plan_versions.check_view",
        "/plan_versions/check/?id={id}",
        (May.PLANS_VIEW, May.PLANS_DRAFT),
        "plan_versions",
        method="POST",
    ),
)
WAYS: Final = (
    Way("members.find_view", "/members/find/", (May.MEMBERS_VIEW,), method="POST", seen=302),
    Way("team.nodes_view", "/team/nodes/", (May.DISTRIBUTORS_VIEW,)),
    Way(
        "distributors.statements_export",
        "/distributors/statements/",
        (May.DISTRIBUTORS_VIEW, May.AWARDS_VIEW, May.EXPORTS),
    ),
    Way("card_figures.index", "/card-figures/", (May.CARDS_VIEW,)),
    Way("card_figures.table", "/card-figures/table.csv", (May.CARDS_VIEW, May.EXPORTS)),
    Way("between_stores.index", "/between-stores/", (May.CARDS_VIEW,)),
    Way("between_stores.table", "/between-stores/table.csv", (May.CARDS_VIEW, May.EXPORTS)),
    Way("levels.preview_view", "/levels/preview/", (May.DISTRIBUTORS_VIEW,)),
    Way("imports.template_file", "/imports/template/stock/csv/", (May.IMPORTS,)),
    Way("imports.template_file", "/imports/template/members/xlsx/", (May.IMPORTS,)),
    Way("months.close_view", "/months/close/", (May.AWARDS_VIEW,)),
    Way("staff_mode.index", "/staff-mode/", (May.STAFF_MODE,)),
    Way("staff_mode.make_code", "/staff-mode/code/", (May.STAFF_MODE,), method="POST"),
    Way("staff_mode.end", "/staff-mode/end/", (May.STAFF_MODE,), method="POST", seen=302),
    Way("admin.index", "/"),
    Way("help.index", "/help/"),
    Way("account.index", "/account/"),
    Way("account.password", "/account/password/"),
    Way("account.end_session", "/account/sessions/end/", method="POST", seen=302),
    Way("account.end_other_sessions", "/account/sessions/end-others/", method="POST", seen=302),
    Way("backoffice.switch_language", "/language/", method="POST", seen=302),
    Way("backoffice.nowhere", "/there-is-no-such-page", seen=404),
)
ELSEWHERE: Final = frozenset(
    {
        "admin.static",
        "figures.index",
        "figures.table",
        "figures.chart",
        "levels.preview_export",
        "lists.arrange",
        "lists.keep",
        "membership_levels.preview_view",
        "months.preview_view",
        "account.sign_out_everywhere",
    }
)
"""Asked by tests of their own: of figures, of lists, of months, and at the end of a visit."""
DOOR: Final = "security."
"""Signing in; `test_sign_in.py` is about it."""
OF_EVERY_VIEW: Final = {
    "index_view": True,
    "details_view": True,
    "action_view": True,
    "form_view": True,
    "export": True,
    "ajax_lookup": True,
}


def test_no_route_of_the_back_office_is_outside_the_matrix(app: Flask) -> None:
    views = app.extensions["backoffice"]
    known = {f"{endpoint}.{name}" for endpoint in views for name in OF_EVERY_VIEW}
    known |= {way.endpoint for way in (*ROW_WAYS, *WAYS)} | ELSEWHERE
    routes = {rule.endpoint for rule in app.url_map.iter_rules() if str(rule).startswith("/admin")}

    unknown = {one for one in routes if not one.startswith(DOOR)} - known

    assert unknown == set()
    assert {way.endpoint for way in (*ROW_WAYS, *WAYS)} | ELSEWHERE <= routes


@pytest.mark.parametrize("reach", REACHES)
@pytest.mark.parametrize("role", ROLES)
def test_every_other_way_in_is_open_to_exactly_those_who_may(
    role: str,
    reach: str,
    house: House,
    session: Session,
    sit_down: Callable[..., Desk],
    tally: Callable[[int], None],
) -> None:
    person = seat(house, session, sit_down, role, reach)

    for way in WAYS:
        may = person.may(*way.needs)
        ask(person, way, way.path, way.seen if may else 403, dict(way.query))
    for way in ROW_WAYS:
        check_rows(person, way)
    check_previews(person)
    check_months(person, session)
    check_team(person)
    person.post(302, "/account/sign-out-everywhere/", {})
    person.get(302, "/account/")

    tally(person.pairs)


def ask(person: Person, way: Way, path: str, status: int, sent: dict[str, Any]) -> Any:
    if way.method == "POST":
        return person.post(status, path, sent)
    return person.get(status, path, **sent)


def check_rows(person: Person, way: Way) -> None:
    may = person.may(*way.needs)
    absent = Place(
        person.house.world.here.store, {way.rows: ABSENT}, parts=dict.fromkeys(PARTS, ABSENT)
    )
    for place, is_seen in [*person.places(way.rows), (absent, False)]:
        row_id = place.ids[way.rows]
        status = (way.seen if is_seen else 404) if may else 403
        path = way.path.format(id=row_id)
        sent = {} if "{id}" in way.path else {"id": row_id}
        ask(person, way, path, status, sent | way.sent(place))
    if way.rows == "disputes" and may and not person.sees_all:
        world = person.house.world
        lent = {"id": world.here.ids["disputes"], "file": world.there.parts["evidence"]}
        person.get(404, way.path, **lent)


def check_previews(person: Person) -> None:
    """Ask who would move: no plan with levels is in force in the world, the draft has one."""
    decides = person.may(May.MEMBERSHIP_VIEW, May.MEMBERSHIP_EDIT) and person.sees_all
    person.get(200 if decides else 403, "/membership_levels/preview/")
    person.get(404 if decides else 403, "/membership_levels/preview/", level=ABSENT)
    draft = person.house.world.brand.ids["plan_versions"]
    may = person.may(May.DISTRIBUTORS_VIEW)
    reads_plans = person.may(May.PLANS_VIEW)
    person.get(200 if may and reads_plans else 403, "/levels/preview/", version=draft)
    person.get((404 if reads_plans else 403) if may else 403, "/levels/preview/", version=ABSENT)
    takes = may and person.may(May.EXPORTS)
    person.get(200 if takes and reads_plans else 403, "/levels/preview/export/", version=draft)


def check_months(person: Person, session: Session) -> None:
    """Ask what closing a month would bring, and to close it, for each store and for none."""
    version: PlanVersion = version_of(session, SHAREHOLDERS)
    world = person.house.world
    sees = {
        world.here.store.id: True,
        person.house.beside.store.id: person.reach != REACHES[0],
        world.there.store.id: person.sees_all,
    }
    for store_id, is_seen in sees.items():
        wish = {"plan": version.plan_id, "store": store_id, "month": "2020-01"}
        may = person.may(May.AWARDS_VIEW)
        person.get((200 if is_seen else 404) if may else 403, "/months/close/preview/", **wish)
        nothing = wish | {"plan": ABSENT}
        closes = person.may(May.AWARDS_VIEW, May.MONTHS_CLOSE)
        person.post((302 if is_seen else 404) if closes else 403, "/months/close/", nothing)
    if person.may(May.AWARDS_VIEW) and not person.sees_all:
        of_brand = {"plan": version.plan_id, "month": "2020-01"}
        person.get(404, "/months/close/preview/", **of_brand)
        person.get(404, "/months/close/preview/", **of_brand, store=ABSENT)


def check_team(person: Person) -> None:
    """Open the branch of somebody else's distributor: it is as empty as that of nobody."""
    if not person.may(May.DISTRIBUTORS_VIEW):
        return
    there = person.house.world.there.ids["team"]
    answers = [person.get(200, "/team/nodes/", of=one) for one in (there, ABSENT)]
    assert {text_of(answer) for answer in answers} == {text_of(answers[1])}
    shown = text_of(person.get(200, "/team/", focus=there))
    assert ("There seller" in shown) is person.sees_all

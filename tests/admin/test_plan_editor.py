"""The page on which a plan is written: form and JSON, levels and rows, faults, the live check."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.engines.documents import dump_rules, load_rules
from app.engines.registry import MODELS
from app.plans import services as plans
from app.plans.models import PlanVersion
from app.plans.services import Draft
from tests.admin.conftest import Desk
from tests.admin.pages import fields_of, text_of
from tests.factories.orders import make_product
from tests.factories.people import make_store
from tests.factories.plan_lives import NOON, person, write_draft


def open_editor(desk: Desk, version: PlanVersion, name: str = "edit") -> dict[str, Any]:
    answer = desk.get(f"/plan_versions/form/{name}/", id=version.id)
    assert answer.status_code == 200
    return fields_of(answer.get_data(as_text=True))


def send(
    desk: Desk, version: PlanVersion, data: dict[str, Any], name: str = "edit"
) -> TestResponse:
    return desk.post(f"/plan_versions/form/{name}/", data, query_string={"id": version.id})


def press(desk: Desk, version: PlanVersion, data: dict[str, Any], intent: str) -> dict[str, Any]:
    """Press one of the page's own buttons and return the form that comes back."""
    answer = send(desk, version, {**data, "intent": intent})
    assert answer.status_code == 200
    return fields_of(answer.get_data(as_text=True))


def fresh(session: Session, version: PlanVersion) -> PlanVersion:
    session.expire_all()
    return session.get_one(PlanVersion, version.id)


@pytest.fixture
def version(session: Session) -> PlanVersion:
    version = write_draft(session)
    session.commit()
    return version


@pytest.mark.parametrize("start", ["default", "original"])
@pytest.mark.parametrize("model", sorted(MODELS))
def test_the_form_of_each_model_saves_just_what_it_was_opened_with(
    session: Session, owner: Desk, model: str, start: str
) -> None:
    rules = load_rules(MODELS[model].original if start == "original" else {"model": model})
    version = write_draft(session, model=model, rules=dump_rules(rules))
    session.commit()
    data = open_editor(owner, version)

    answer = send(owner, version, {**data, "note": "the same"})

    assert answer.status_code == 302, text_of(answer)
    saved = fresh(session, version)
    assert saved.revision == 2
    assert saved.rules == dump_rules(rules)
    assert saved.scope == {}


def test_rates_conditions_switches_and_retention_are_set_in_the_form(
    session: Session, owner: Desk, version: PlanVersion
) -> None:
    data = open_editor(owner, version)
    data |= {
        "note": "dearer",
        "f.rates_first_bp.0": "11.25",
        "f.compress": "1",
        "f.payout_cap_bp": "35",
        "f.settle_seconds": "90 s",
        "f.levels.upgrades.0.mode": "ANY",
        "f.levels.upgrades.0.conditions.0.kind": "PAYING_CUSTOMERS",
        "f.levels.upgrades.0.conditions.0.at_least": "7",
        "f.levels.upgrades.0.conditions.0.window_days": "60",
        "on.levels.retention": "1",
    }

    answer = send(owner, version, data)

    assert answer.status_code == 302, text_of(answer)
    rules = fresh(session, version).rules
    assert rules["rates_first_bp"] == [1_125, 1_500, 2_000]
    assert (rules["compress"], rules["payout_cap_bp"], rules["settle_seconds"]) == (True, 3_500, 90)
    assert rules["levels"]["upgrades"][0] == {
        "level": 2,
        "mode": "ANY",
        "conditions": [{"kind": "PAYING_CUSTOMERS", "at_least_count": 7, "window_days": 60}],
    }
    assert rules["levels"]["retention"] == {
        "every": "QUARTER",
        "share_bp": 5_000,
        "grace_days": 30,
    }


def test_a_level_is_added_with_a_rate_of_its_own_and_taken_away_again(
    session: Session, owner: Desk, version: PlanVersion
) -> None:
    data = press(owner, version, open_editor(owner, version), "more_levels")
    assert data["f.rates_first_bp.3"] == "20"
    data["f.rates_first_bp.3"] = "21"

    assert send(owner, version, {**data, "note": "four"}).status_code == 302
    rules = fresh(session, version).rules
    assert rules["rates_first_bp"] == [1_000, 1_500, 2_000, 2_100]
    assert [one["level"] for one in rules["levels"]["upgrades"]] == [2, 3, 4]

    data = press(owner, version, open_editor(owner, version), "fewer_levels")
    assert "f.rates_first_bp.3" not in data
    assert send(owner, version, {**data, "note": "three"}).status_code == 302
    assert fresh(session, version).rules["rates_first_bp"] == [1_000, 1_500, 2_000]


def test_a_product_gets_rates_of_its_own_in_a_row(
    session: Session, owner: Desk, version: PlanVersion
) -> None:
    product = make_product(session)
    session.commit()
    data = press(owner, version, open_editor(owner, version), "add:product_rates")
    data |= {
        "note": "own rates",
        "k.product_rates.0": str(product.id),
        "f.product_rates.0.rates_first_bp": "5, 6，7.5",
    }

    assert send(owner, version, data).status_code == 302
    own = fresh(session, version).rules["product_rates"]
    assert own[str(product.id)]["rates_first_bp"] == [500, 600, 750]

    data = press(owner, version, open_editor(owner, version), "drop:product_rates.0")
    assert send(owner, version, {**data, "note": "none"}).status_code == 302
    assert fresh(session, version).rules["product_rates"] == {}


def test_a_product_that_does_not_exist_is_named_beside_its_row(
    session: Session, owner: Desk, version: PlanVersion
) -> None:
    data = press(owner, version, open_editor(owner, version), "add:product_rates")
    data |= {"note": "n", "k.product_rates.0": "987654", "f.product_rates.0.excluded": "1"}

    answer = send(owner, version, data)

    assert "There is no product 987654." in text_of(answer)
    assert fresh(session, version).revision == 1


def test_what_is_no_number_stays_as_it_was_typed_and_is_named(
    session: Session, owner: Desk, version: PlanVersion
) -> None:
    data = open_editor(owner, version) | {"note": "n", "f.rates_first_bp.1": "a lot"}

    answer = send(owner, version, data)

    page = text_of(answer)
    assert answer.status_code == 200
    assert "Please enter a percentage with at most two decimals" in page
    assert 'value="a lot"' in page
    assert fresh(session, version).revision == 1


def test_stores_and_products_are_picked(
    session: Session, owner: Desk, version: PlanVersion
) -> None:
    here, _there = make_store(session, "Here"), make_store(session, "There")
    product = make_product(session)
    session.commit()
    data = open_editor(owner, version)
    picked = {
        "store_choice": "some",
        "store_ids": [str(here.id)],
        "product_choice": "some",
        "product_ids": [str(product.id)],
    }

    assert send(owner, version, {**data, **picked, "note": "here"}).status_code == 302

    assert fresh(session, version).scope == {"store_ids": [here.id], "product_ids": [product.id]}
    again = open_editor(owner, version)
    assert (again["store_choice"], again["store_ids"]) == ("some", str(here.id))


@pytest.mark.parametrize("wrong", [[], ["987654"], ["x"]])
def test_no_store_and_unknown_stores_are_refused(
    session: Session, owner: Desk, version: PlanVersion, wrong: list[str]
) -> None:
    data = open_editor(owner, version)
    picked = {"store_choice": "some", "store_ids": wrong, "note": "n"}

    answer = send(owner, version, {**data, **picked})

    assert answer.status_code == 200
    assert fresh(session, version).scope == {}


def test_form_and_json_show_the_same_and_lead_to_each_other(
    session: Session, owner: Desk, version: PlanVersion
) -> None:
    data = open_editor(owner, version) | {"f.payout_cap_bp": "29"}
    as_text = press(owner, version, data, "as_text")
    rules = json.loads(as_text["rules"])
    assert (as_text["tab"], rules["payout_cap_bp"]) == ("json", 2_900)
    assert "f.payout_cap_bp" not in as_text

    as_text["rules"] = json.dumps({**rules, "payout_cap_bp": 2_800})
    as_form = press(owner, version, as_text, "as_form")
    assert (as_form["tab"], as_form["f.payout_cap_bp"]) == ("form", "28")

    assert send(owner, version, {**as_form, "note": "n"}).status_code == 302
    assert fresh(session, version).rules["payout_cap_bp"] == 2_800


def test_json_that_is_not_valid_stays_json_and_each_fault_is_told(
    session: Session, owner: Desk, version: PlanVersion
) -> None:
    rules = '{"model": "CHANNEL_TWO_LEVEL", "payout_cap_bp": 90000, "levles": 1}'
    data = {"tab": "json", "revision": "1", "note": "n", "rules": rules}

    for extra in ({}, {"intent": "as_form"}):
        page = text_of(send(owner, version, {**data, **extra}))
        assert "payout_cap_bp: This must be at most 10000." in page
        assert "levles: There is no such parameter." in page
        assert '"levles": 1' in page
    assert fresh(session, version).revision == 1


@pytest.mark.parametrize("rules", ["", "{", "[]", "null", '"x"', "{}", '{"model": "CHAIN_2_1"}'])
def test_rules_that_are_no_rules_of_this_model_are_refused(
    session: Session, owner: Desk, version: PlanVersion, rules: str
) -> None:
    answer = send(owner, version, {"tab": "json", "revision": "1", "note": "n", "rules": rules})

    assert answer.status_code == 200
    page = text_of(answer)
    assert 'id="rules-errors" data-errors=""><li>' in page
    assert fresh(session, version).revision == 1


def test_who_saves_after_somebody_else_sees_both_values_and_loses_nothing(
    session: Session, owner: Desk, version: PlanVersion
) -> None:
    data = open_editor(owner, version) | {"f.payout_cap_bp": "29", "note": "mine"}
    theirs = Draft(rules={**version.rules, "payout_cap_bp": 2_500}, note="theirs")
    plans.revise(session, version.id, theirs, revision=1, actor=person(session), now=NOON)
    session.commit()

    answer = send(owner, version, data)

    page = text_of(answer)
    assert "Somebody else has changed this version meanwhile" in page
    assert ">25%</td>" in page
    assert ">29%</td>" in page
    assert fresh(session, version).rules["payout_cap_bp"] == 2_500
    again = fields_of(answer.get_data(as_text=True))
    assert (again["f.payout_cap_bp"], again["note"], again["revision"]) == ("29", "mine", "2")

    assert send(owner, version, again).status_code == 302
    assert fresh(session, version).rules["payout_cap_bp"] == 2_900


def test_a_new_version_begins_with_the_one_before(
    session: Session, owner: Desk, version: PlanVersion
) -> None:
    data = open_editor(owner, version, "copy")
    assert data["note"] == ""

    send(owner, version, {**data, "f.payout_cap_bp": "28", "note": "next"}, "copy")

    assert fresh(session, version).rules["payout_cap_bp"] == 3_000
    drafted = session.query(PlanVersion).order_by(PlanVersion.id.desc()).first()
    assert drafted is not None
    assert (drafted.plan_id, drafted.number) == (version.plan_id, 2)
    assert drafted.rules["payout_cap_bp"] == 2_800


def live(desk: Desk, version: PlanVersion, data: dict[str, Any], **more: Any) -> TestResponse:
    return desk.post("/plan_versions/check/", data, query_string={"id": version.id}, **more)


def test_the_live_check_tells_cost_findings_and_the_document(
    session: Session, owner: Desk, version: PlanVersion
) -> None:
    data = open_editor(owner, version) | {"f.payout_cap_bp": "29"}

    told = live(owner, version, data).get_json()

    assert told["faults"] == []
    assert told["total"] == "28%"
    assert told["bound"][-1].startswith("An order mixes products")
    assert [one["rule"] for one in told["findings"] if one["severity"] == "HIGH"] == ["C4"]
    assert all(one["citation"] and one["text"] for one in told["findings"])
    assert json.loads(told["document"])["payout_cap_bp"] == 2_900
    assert fresh(session, version).revision == 1


def test_the_live_check_names_the_control_of_each_fault(owner: Desk, version: PlanVersion) -> None:
    data = open_editor(owner, version)
    data |= {
        "f.payout_cap_bp": "101",
        "f.levels.upgrades.0.conditions.0.at_least": "many",
    }

    told = live(owner, version, data).get_json()

    assert {one["path"] for one in told["faults"]} == {
        "payout_cap_bp",
        "levels.upgrades.0.conditions.0.at_least",
    }
    assert told["bound"] == []


def test_the_live_check_asks_for_the_token_and_the_permission(
    version: PlanVersion, owner: Desk, stranger: Desk, sit_down: Callable[..., Desk]
) -> None:
    path = f"/admin/plan_versions/check/?id={version.id}"
    assert owner.client.post(path, data={"tab": "json"}).status_code == 400
    assert stranger.client.post(path, data={"tab": "json"}).status_code in {302, 400}
    assert live(sit_down("finance"), version, {"tab": "json"}).status_code == 403
    assert live(sit_down("auditor"), version, {"tab": "json"}).status_code == 403
    gone = owner.post("/plan_versions/check/", {}, query_string={"id": 10**9})
    assert gone.status_code == 404


@pytest.mark.parametrize(
    "junk",
    [
        {"tab": "json", "rules": "[" * 100_000},
        {"tab": "json", "rules": '{"model": "CHANNEL_TWO_LEVEL", "conduct": 3, "levels": "x"}'},
        {"tab": "form", "rules": '{"levels": 3, "product_rates": [1]}', "n.levels.upgrades": "²"},
        {"tab": "form", "rules": "no", "n.levels.upgrades": "9999999999", "revision": "9" * 5_000},
        {"intent": "drop:levels.upgrades.-1"},
        {"intent": "add:model"},
        {"intent": "²"},
    ],
)
def test_no_junk_breaks_the_page_or_the_live_check(
    session: Session, owner: Desk, version: PlanVersion, junk: dict[str, str]
) -> None:
    data = {"revision": "1", "note": "n", **junk}

    assert send(owner, version, data).status_code == 200
    assert live(owner, version, data).status_code == 200
    assert fresh(session, version).revision == 1


def test_what_no_database_keeps_is_refused(
    session: Session, owner: Desk, version: PlanVersion
) -> None:
    data = open_editor(owner, version)
    assert send(owner, version, {**data, "note": "a\x00b"}).status_code == 400
    escaped = json.dumps({**version.rules, "conduct": {"public_rules": "a\x00b"}})

    answer = send(owner, version, {"tab": "json", "revision": "1", "note": "n", "rules": escaped})

    assert "This holds a character that cannot be kept." in text_of(answer)
    assert fresh(session, version).revision == 1

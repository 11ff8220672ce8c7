"""Every endpoint that there is, and a well-formed request for each."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from flask import Flask
from werkzeug.routing import Rule

from miniprogram_api.auth import Who
from miniprogram_api.endpoints import GROUPS
from miniprogram_api.fields import Body
from miniprogram_api.openapi import PREFIX
from miniprogram_api.routing import CONVERTERS, Shape
from tests.api.conftest import Phone, new_key

ARGUMENTS: Final = {
    "activity_id": "999999",
    "award_id": "7",
    "card_booking_id": "7",
    "card_id": "7",
    "card_token": "0" * 22,
    "bargain_code": "A" * 16,
    "code": "0" * 22,
    "coupon_id": "7",
    "data_request_id": "7",
    "exchange_id": "7",
    "group_code": "A" * 16,
    "invite_code": "0" * 22,
    "item_id": "999999",
    "month": "2026-03",
    "number": "T20260301ABCDEF",
    "payout_id": "7",
    "picture_id": "7",
    "poster_id": "7",
    "product_id": "7",
    "purpose": "marketing",
    "questionnaire": "0" * 22,
    "review_id": "7",
    "session_id": "7",
    "store_id": "7",
    "ticket_id": "7",
}
"""A value of the right form for each argument of a path."""
NOBODYS: Final = {
    "activity_id",
    "bargain_code",
    "card_token",
    "group_code",
    "invite_code",
    "item_id",
    "month",
    "poster_id",
    "product_id",
    "purpose",
    "questionnaire",
    "store_id",
}
"""Arguments that name nothing that belongs to a member."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path."""

    method: str
    rule: str
    arguments: tuple[str, ...]
    shape: Shape

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    def path(self, **values: str) -> str:
        """Return a path of this endpoint, below the prefix."""
        text = self.rule.removeprefix(PREFIX)
        for name in self.arguments:
            before, _, after = text.partition("<")
            text = before + (ARGUMENTS | values)[name] + after.partition(">")[2]
        return text

    def body(self) -> dict[str, Any] | None:
        """Return the example of its body."""
        if self.shape.body is None:
            return None
        return dict(example_of(self.shape.body))


def example_of(model: type[Body]) -> dict[str, Any]:
    extra = model.model_config.get("json_schema_extra")
    assert isinstance(extra, dict), f"{model.__name__} needs an example"
    examples = extra["examples"]
    assert isinstance(examples, list)
    found = examples[0]
    assert isinstance(found, dict)
    return found


def _endpoints() -> Iterator[Endpoint]:
    app = Flask("routes")
    app.url_map.converters |= CONVERTERS
    for group in GROUPS:
        app.register_blueprint(group, url_prefix=PREFIX)
    for rule in app.url_map.iter_rules():
        shape = getattr(app.view_functions[rule.endpoint], "shape", None)
        if isinstance(shape, Shape):
            arguments = [name for name in _in_order(rule) if name in rule.arguments]
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                yield Endpoint(method, rule.rule, tuple(arguments), shape)


def _in_order(rule: Rule) -> list[str]:
    return [part.partition(">")[0].rpartition(":")[2] for part in rule.rule.split("<")[1:]]


ENDPOINTS: Final = sorted(_endpoints(), key=str)
OF_MEMBERS: Final = [one for one in ENDPOINTS if one.shape.who is Who.MEMBER]
WITH_BODY: Final = [one for one in ENDPOINTS if one.shape.body is not None]
KEYED: Final = [one for one in ENDPOINTS if one.shape.is_keyed]
OF_STAFF: Final = [
    one for one in OF_MEMBERS if "/staff/" in one.rule and not one.rule.endswith("/staff/binding")
]
"""What is answered only to members who work in staff mode."""
OF_SOMEBODY: Final = [
    one for one in OF_MEMBERS if set(one.arguments) - NOBODYS and one not in OF_STAFF
]


def ask(phone: Phone, endpoint: Endpoint, path: str = "", **more: Any) -> Any:
    """Send a request that is well formed but for what `more` says."""
    if endpoint.shape.takes_picture and not {"json", "data"} & set(more):
        more["data"] = {"picture": (BytesIO(b"no picture"), "a.png")}
    more.setdefault("json", endpoint.body())
    headers = {"Idempotency-Key": new_key()} if endpoint.shape.is_keyed else {}
    more["headers"] = headers | more.get("headers", {})
    return phone.ask(endpoint.method, path or endpoint.path(), **more)

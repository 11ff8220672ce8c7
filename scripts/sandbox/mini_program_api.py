"""The mini-program server API over HTTP: refusals come as status 200 with an errcode."""

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request

from scripts.sandbox.calls import CallCounter, strike_after, strike_before
from scripts.sandbox.faults import Fault, Faults
from scripts.sandbox.phones import Phones
from scripts.sandbox.qr import draw
from scripts.sandbox.subscriptions import Subscriptions
from scripts.sandbox.texts import Texts
from scripts.sandbox.wording import ApiError


@dataclass(frozen=True)
class MiniProgramApi:
    """What the endpoints need."""

    faults: Faults
    calls: CallCounter
    phones: Phones
    texts: Texts
    subscriptions: Subscriptions

    def blueprint(self) -> Blueprint:
        """Return the endpoints."""
        blueprint = Blueprint("mini_program", __name__)
        self._add_guards(blueprint)
        self._add_sign_in(blueprint)
        self._add_codes(blueprint)
        self._add_texts(blueprint)
        return blueprint

    def _add_guards(self, blueprint: Blueprint) -> None:
        @blueprint.before_request
        def check() -> Response | None:
            self.calls.add(request.path)
            answers = {"error_before": _failed, "status_429": _slowed, "errcode": _coded}
            struck = strike_before(self.faults, answers)
            g.was_struck = struck is not None
            return struck

        @blueprint.errorhandler(ApiError)
        def refuse(error: ApiError) -> Response:
            return _json(error.body())

        @blueprint.after_request
        def finish(response: Response) -> Response:
            return strike_after(self.faults, _failed, response)

    def _add_sign_in(self, blueprint: Blueprint) -> None:
        @blueprint.get("/sns/jscode2session")
        def code2session() -> Response:
            return _json(self.phones.sign_in(request.args.to_dict()))

        @blueprint.get("/cgi-bin/token")
        def token() -> Response:
            return _json(self.phones.plain_token(request.args.to_dict()))

        @blueprint.post("/cgi-bin/stable_token")
        def stable_token() -> Response:
            return _json(self.phones.stable_token(_body()))

        @blueprint.post("/wxa/business/getuserphonenumber")
        def phone_number() -> Response:
            self._check_token()
            return _json(self.phones.phone_number(_body().get("code")))

    def _add_codes(self, blueprint: Blueprint) -> None:
        @blueprint.post("/wxa/getwxacodeunlimit")
        def wxacode() -> Response:
            self._check_token()
            scene, page, width = self.phones.read_wxacode(_body())
            return Response(draw(scene, page, width), content_type="image/png")

        @blueprint.post("/wxa/generate_urllink")
        def url_link() -> Response:
            self._check_token()
            return _json(self.phones.url_link(_body()))

        @blueprint.post("/wxa/generatescheme")
        def url_scheme() -> Response:
            self._check_token()
            return _json(self.phones.url_scheme(_body()))

    def _add_texts(self, blueprint: Blueprint) -> None:
        @blueprint.post("/wxa/msg_sec_check")
        def msg_sec_check() -> Response:
            self._check_token()
            return _json(self.texts.check(_body()))

        @blueprint.post("/cgi-bin/message/subscribe/send")
        def send_message() -> Response:
            self._check_token()
            return _json(self.subscriptions.send(_body()))

    def _check_token(self) -> None:
        self.phones.check_token(request.args.get("access_token"))


def _body() -> dict[str, Any]:
    """Read JSON whatever the content type says; the common client libraries send none."""
    try:
        body = json.loads(request.get_data())
    except ValueError:
        raise ApiError(47001, "data format error") from None
    if not isinstance(body, dict):
        raise ApiError(47001, "data format error")
    return body


def _json(data: Any, status: int = 200) -> Response:
    text = json.dumps(data, ensure_ascii=False)
    return Response(text, status=status, content_type="application/json; encoding=utf-8")


def _failed(_fault: Fault | None = None) -> Response:
    return Response("<html>502 Bad Gateway</html>", status=502, content_type="text/html")


def _slowed(_fault: Fault) -> Response:
    return _json(ApiError(45011, "api minute-quota reach limit").body())


def _coded(fault: Fault) -> Response:
    return _json(ApiError(int(fault.changes.get("errcode", -1)), "system error").body())

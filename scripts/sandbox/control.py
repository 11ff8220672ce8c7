"""The sandbox's own calls: phones that pay and confirm, faults, time, and the books."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from flask import Blueprint, Response, jsonify, request

from scripts.sandbox.books import Books
from scripts.sandbox.calls import CallCounter
from scripts.sandbox.config import Config
from scripts.sandbox.faults import Faults
from scripts.sandbox.notices import Flush, Postman
from scripts.sandbox.phones import Phones
from scripts.sandbox.refunds import Refunds
from scripts.sandbox.rows import Clock, Notice, Refund, Trade, Transfer, User
from scripts.sandbox.subscriptions import Subscriptions
from scripts.sandbox.trades import Trades
from scripts.sandbox.transfers import Transfers
from scripts.sandbox.wording import PayError, wechat_time

ENDINGS_OF_REFUND = {"SUCCESS", "ABNORMAL", "CLOSED"}
LIMITS = {"min_fen", "max_fen", "user_day_fen", "merchant_day_fen"}


@dataclass(frozen=True)
class Control:
    """What the endpoints need."""

    config: Config
    books: Books
    faults: Faults
    calls: CallCounter
    postman: Postman
    phones: Phones
    trades: Trades
    refunds: Refunds
    transfers: Transfers
    subscriptions: Subscriptions

    def blueprint(self) -> Blueprint:
        """Return the endpoints."""
        blueprint = Blueprint("control", __name__)

        @blueprint.errorhandler(PayError)
        def refuse(error: PayError) -> tuple[Response, int]:
            return jsonify(error.body()), error.status

        @blueprint.errorhandler(KeyError)
        @blueprint.errorhandler(TypeError)
        @blueprint.errorhandler(ValueError)
        def misunderstood(error: Exception) -> tuple[Response, int]:
            return jsonify({"code": "BAD_REQUEST", "message": str(error)}), 400

        self._add_people(blueprint)
        self._add_messages(blueprint)
        self._add_money(blueprint)
        self._add_account(blueprint)
        self._add_weather(blueprint)
        self._add_notices(blueprint)
        return blueprint

    def _add_people(self, blueprint: Blueprint) -> None:
        @blueprint.post("/sandbox/users")
        def users() -> Response:
            body = _body()
            if "users" in body:
                made = [self.phones.register(values) for values in body["users"]]
                return jsonify({"users": [asdict(user) for user in made]})
            return jsonify(asdict(self.phones.register(body)))

        @blueprint.get("/sandbox/users")
        def list_users() -> Response:
            return jsonify({"users": [asdict(user) for user in self.books.all(User)]})

        @blueprint.post("/sandbox/users/<openid>/login-code")
        def login_code(openid: str) -> Response:
            return jsonify({"code": self.phones.hand_out_code(openid, "login").code})

        @blueprint.post("/sandbox/users/<openid>/phone-code")
        def phone_code(openid: str) -> Response:
            return jsonify({"code": self.phones.hand_out_code(openid, "phone").code})

    def _add_messages(self, blueprint: Blueprint) -> None:
        @blueprint.post("/sandbox/users/<openid>/subscriptions")
        def subscribe(openid: str) -> Response:
            body = _body()
            left = self.subscriptions.tap(
                openid, list(body["template_ids"]), accepts=bool(body.get("accepts", True))
            )
            return jsonify({"left": left})

        @blueprint.post("/sandbox/templates")
        def templates() -> Response:
            body = _body()
            template = self.subscriptions.define(body["template_id"], list(body["fields"]))
            return jsonify(asdict(template))

        @blueprint.get("/sandbox/messages")
        def messages() -> Response:
            return jsonify({"messages": self.subscriptions.list()})

    def _add_money(self, blueprint: Blueprint) -> None:
        @blueprint.post("/sandbox/pay")
        def pay() -> Response:
            body = _body()
            trade = self.trades.pay(
                prepay_id=body.get("prepay_id"),
                out_trade_no=body.get("out_trade_no"),
                openid=body.get("openid"),
                force=bool(body.get("force")),
            )
            return jsonify(asdict(trade))

        @blueprint.post("/sandbox/transfers/<out_bill_no>/confirm")
        def confirm(out_bill_no: str) -> Response:
            return jsonify(asdict(self.transfers.confirm(out_bill_no)))

        @blueprint.post("/sandbox/transfers/<out_bill_no>/fail")
        def fail(out_bill_no: str) -> Response:
            reason = _body().get("reason", "OTHER_FAIL_REASON_TYPE")
            return jsonify(asdict(self.transfers.fail(out_bill_no, reason)))

        @blueprint.post("/sandbox/refunds/<out_refund_no>")
        def settle(out_refund_no: str) -> Response:
            status = _body().get("status", "SUCCESS")
            if status not in ENDINGS_OF_REFUND:
                raise ValueError(f"status is one of {', '.join(sorted(ENDINGS_OF_REFUND))}")
            return jsonify(asdict(self.refunds.settle(out_refund_no, status)))

    def _add_account(self, blueprint: Blueprint) -> None:
        @blueprint.get("/sandbox/books")
        def books() -> Response:
            return jsonify(self.read_books())

        @blueprint.post("/sandbox/balance")
        def balance() -> Response:
            with self.books.lock:
                terms, wanted = self.books.terms, int(_body()["amount_fen"])
                opening = terms.opening_fen + wanted - self.books.balance_fen
                self.books.put(replace(terms, opening_fen=opening))
            return jsonify({"balance_fen": self.books.balance_fen})

        @blueprint.post("/sandbox/limits")
        def limits() -> Response:
            body = _body()
            if not body.keys() <= LIMITS:
                raise ValueError(f"limits are {', '.join(sorted(LIMITS))}")
            with self.books.lock:
                self.books.put(replace(self.books.terms, **body))
            return jsonify(asdict(self.books.terms))

    def _add_weather(self, blueprint: Blueprint) -> None:
        @blueprint.route("/sandbox/faults", methods=["GET", "POST", "DELETE"])
        def faults() -> Response:
            if request.method == "POST":
                return jsonify({"id": self.faults.arm(**_body()).number})
            if request.method == "DELETE":
                self.faults.clear()
            return jsonify({"faults": self.faults.list()})

        @blueprint.get("/sandbox/calls")
        def calls() -> Response:
            return jsonify({"calls": self.calls.read()})

        @blueprint.post("/sandbox/clock")
        def clock() -> Response:
            with self.books.lock:
                now = self.books.get(Clock, "clock") or Clock()
                ahead = now.ahead_seconds + float(_body()["advance_seconds"])
                self.books.put(Clock(ahead_seconds=ahead))
                self.transfers.move_on()
            return jsonify({"now": wechat_time(self.books.now())})

        @blueprint.post("/sandbox/reset")
        def reset() -> Response:
            self.books.reset()
            self.faults.clear()
            self.calls.clear()
            self.postman.serial = next(iter(self.config.keys))
            return jsonify({})

        @blueprint.get("/healthz")
        def healthz() -> Response:
            return jsonify({"status": "ok"})

    def _add_notices(self, blueprint: Blueprint) -> None:
        @blueprint.get("/sandbox/notices")
        def notices() -> Response:
            return jsonify({"notices": [asdict(one) for one in self.books.all(Notice)]})

        @blueprint.post("/sandbox/notices/flush")
        def flush() -> Response:
            body = _body()
            how = Flush(
                copies=int(body.get("copies", 1)),
                is_parallel=bool(body.get("parallel")),
                is_shuffled=bool(body.get("shuffle")),
                event_type=body.get("event_type", ""),
            )
            self.let_time_work()
            return jsonify({"results": self.postman.flush(how)})

        @blueprint.post("/sandbox/notice-key")
        def notice_key() -> Response:
            serial = _body()["serial"]
            if serial not in self.config.keys:
                raise ValueError(f"serial is one of {', '.join(self.config.keys)}")
            self.postman.serial = serial
            return jsonify({"serial": serial})

    def let_time_work(self) -> None:
        """Do what WeChat does by itself: end refunds, expire, cancel and complete transfers."""
        self.refunds.settle_all()
        self.transfers.move_on()

    def read_books(self) -> dict[str, Any]:
        """Return everything about money, and what each person paid and received."""
        with self.books.lock:
            trades = list(self.books.all(Trade))
            refunds = list(self.books.all(Refund))
            transfers = list(self.books.all(Transfer))
            balance_fen = self.books.balance_fen
        people: dict[str, dict[str, int]] = {}
        for openid, name, amount in _movements(trades, refunds, transfers):
            zero = {"paid_fen": 0, "refunded_fen": 0, "received_fen": 0, "waiting_fen": 0}
            people.setdefault(openid, zero)[name] += amount
        return {
            "payments": [asdict(one) for one in trades],
            "refunds": [asdict(one) for one in refunds],
            "transfers": [asdict(one) for one in transfers],
            "per_openid": people,
            "balance_fen": balance_fen,
        }


def _movements(
    trades: list[Trade], refunds: list[Refund], transfers: list[Transfer]
) -> list[tuple[str, str, int]]:
    """Return who was moved how much money, and which way."""
    moved = [(one.openid, "paid_fen", one.total) for one in trades if one.transaction_id]
    moved += [(one.openid, "refunded_fen", one.refund) for one in refunds if one.success_at]
    for one in transfers:
        if one.state == "SUCCESS":
            moved.append((one.openid, "received_fen", one.amount))
        elif one.is_pending:
            moved.append((one.openid, "waiting_fen", one.amount))
    return moved


def _body() -> dict[str, Any]:
    """Read the JSON of a control call; none means an empty object."""
    body = request.get_json(force=True, silent=True) if request.get_data() else {}
    if not isinstance(body, dict):
        raise TypeError("the body is not a JSON object")
    return body

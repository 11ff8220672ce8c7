"""A page for people: pick somebody, look at their phone, pay and confirm with a finger."""

from dataclasses import dataclass

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from scripts.sandbox.books import Books
from scripts.sandbox.phones import Phones
from scripts.sandbox.rows import Refund, Trade, Transfer, User
from scripts.sandbox.trades import Trades
from scripts.sandbox.transfers import Transfers
from scripts.sandbox.wording import PayError, wechat_time

SHOWN_MAX = 30
CODE_NAMES = {"login": "登录码 · wx.login code", "phone": "手机号码 · phone code"}
LABELS = {
    "Trade": {
        "NOTPAY": "未支付 · unpaid",
        "SUCCESS": "已支付 · paid",
        "REFUND": "有退款 · refunded",
        "CLOSED": "已关闭 · closed",
    },
    "Refund": {
        "PROCESSING": "退款中 · under way",
        "SUCCESS": "已退款 · done",
        "ABNORMAL": "退款异常 · failed",
        "CLOSED": "退款关闭 · closed",
    },
    "Transfer": {
        "WAIT_USER_CONFIRM": "待确认 · waiting",
        "SUCCESS": "已到账 · received",
        "FAIL": "失败 · failed",
        "CANCELLED": "已撤销 · cancelled",
    },
}


def state_label(row: Trade | Refund | Transfer) -> str:
    """Say in two languages where something stands; WeChat's own word where there is no other."""
    state = row.status if isinstance(row, Refund) else row.state
    return LABELS[type(row).__name__].get(state, state)


def yuan(amount: int) -> str:
    """Write fen as yuan.

    >>> yuan(123456)
    '¥1,234.56'
    """
    return f"¥{amount // 100:,}.{amount % 100:02d}"


def clock_time(seconds: float) -> str:
    """Write a time short enough for a phone.

    >>> clock_time(1_772_338_205)
    '03-01 12:10:05'
    """
    return wechat_time(seconds)[5:19].replace("T", " ")


@dataclass(frozen=True)
class Page:
    """What the page shows and moves."""

    books: Books
    phones: Phones
    trades: Trades
    transfers: Transfers

    def blueprint(self) -> Blueprint:
        """Return the page and what its buttons do."""
        blueprint = Blueprint("page", __name__, template_folder="templates")
        blueprint.add_app_template_filter(yuan, "yuan")
        blueprint.add_app_template_filter(clock_time, "clock_time")
        blueprint.add_app_template_filter(state_label, "state_label")

        @blueprint.get("/sandbox/")
        def show() -> str:
            return self._render(request.args.get("openid", ""), notice=request.args.get("said", ""))

        self._add_people(blueprint)
        self._add_money(blueprint)
        return blueprint

    def _add_people(self, blueprint: Blueprint) -> None:
        @blueprint.post("/sandbox/press/person")
        def add_person() -> AnyResponse:
            user = self.phones.register({"nickname": request.form.get("nickname", "").strip()})
            return _back(user.openid)

        @blueprint.post("/sandbox/press/code/<purpose>")
        def hand_out_code(purpose: str) -> AnyResponse:
            openid = request.form.get("openid", "")
            if purpose not in CODE_NAMES or self.books.get(User, openid) is None:
                return Response("没有此人 · nobody there", 404)
            code = self.phones.hand_out_code(openid, purpose)
            return _back(openid, f"{CODE_NAMES[purpose]}: {code.code}")

    def _add_money(self, blueprint: Blueprint) -> None:
        @blueprint.post("/sandbox/press/pay/<out_trade_no>")
        def pay(out_trade_no: str) -> AnyResponse:
            try:
                trade = self.trades.pay(
                    prepay_id=None, out_trade_no=out_trade_no, openid=None, force=False
                )
            except PayError as error:
                return _back(request.form.get("openid", ""), f"{error.message} · {error.code}")
            return _back(trade.openid, f"已支付 · paid {yuan(trade.total)}")

        @blueprint.post("/sandbox/press/confirm/<out_bill_no>")
        def confirm(out_bill_no: str) -> AnyResponse:
            try:
                bill = self.transfers.confirm(out_bill_no)
            except PayError as error:
                return _back(request.form.get("openid", ""), f"{error.message} · {error.code}")
            return _back(bill.openid, f"已收款 · received {yuan(bill.amount)} ({bill.state})")

    def _render(self, openid: str, *, notice: str) -> str:
        users = list(self.books.all(User))
        user = self.books.get(User, openid) or (users[0] if users else None)
        mine = user.openid if user else ""
        now = self.books.now()
        trades = [one for one in self.books.all(Trade) if one.openid == mine][::-1]
        bills = [one for one in self.books.all(Transfer) if one.openid == mine][::-1]
        refunds = [one for one in self.books.all(Refund) if one.openid == mine][::-1]
        to_pay = [one for one in trades if one.state == "NOTPAY" and one.expires_at > now]
        return render_template(
            "phone.html",
            users=users,
            user=user,
            notice=notice,
            to_pay=to_pay,
            to_confirm=[one for one in bills if one.state == "WAIT_USER_CONFIRM"],
            trades=trades[:SHOWN_MAX],
            bills=bills[:SHOWN_MAX],
            refunds=refunds[:SHOWN_MAX],
            balance=self.books.balance_fen,
        )


def _back(openid: str, said: str = "") -> AnyResponse:
    return redirect(url_for("page.show", openid=openid, said=said), 303)

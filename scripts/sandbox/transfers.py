"""Merchant transfers: money to a person, who accepts it within a day.

    ACCEPTED > PROCESSING > WAIT_USER_CONFIRM > (TRANSFERING) > SUCCESS
                                  |- a day -> FAIL (OVERDUE_CLOSE)
                                  |- cancel -> CANCELING > CANCELLED

Rules and codes: Pay v3 documents of transfer bills (4012716434 and its guide 4012711988).
"""

import re
import secrets
from dataclasses import dataclass, replace
from typing import Any

from scripts.sandbox.books import Books
from scripts.sandbox.config import Config
from scripts.sandbox.crypto import decrypt_field
from scripts.sandbox.notices import new_notice
from scripts.sandbox.rows import Row, Transfer, User
from scripts.sandbox.shapes import check, check_length, check_notify_url
from scripts.sandbox.wording import (
    DAY_SECONDS,
    PayError,
    day_begins,
    digits,
    param_error,
    wechat_time,
)

OUT_BILL_NO = re.compile(r"[0-9A-Za-z]{1,32}")
REPORTS_OF_SCENE = {
    "1000": {"活动名称", "奖励说明"},
    "1005": {"岗位类型", "报酬说明"},
    "1011": {"赔付原因"},
}
PERCEPTIONS_OF_SCENE = {
    "1000": {"活动奖励", "现金奖励"},
    "1005": {"劳务报酬", "报销款", "企业补贴", "开工利是"},
}
NAME_FROM_FEN = 200_000
NAME_NOT_BELOW_FEN = 30
CANCELABLE = {"ACCEPTED", "PROCESSING", "WAIT_USER_CONFIRM"}
STEPS_OF_SLOW = {"ACCEPTED": "PROCESSING", "PROCESSING": "WAIT_USER_CONFIRM"}


@dataclass(frozen=True)
class _Request:
    """A request as it came in, with what its signature said about keys."""

    body: dict[str, Any]
    user_name: str | None


class Transfers:
    """What a merchant and a phone can do with transfers, and what time does."""

    def __init__(self, config: Config, books: Books) -> None:
        self._config = config
        self._books = books

    def create(self, body: Any, *, serial: str, is_slow: bool = False) -> dict[str, Any]:
        """Take a transfer; the same transfer again is answered for the first."""
        request = self._read(body, serial)
        number = request.body["out_bill_no"]
        terms = {key: value for key, value in request.body.items() if key != "user_name"}
        terms["user_name"] = request.user_name
        with self._books.lock:
            known = self._books.get(Transfer, number)
            if known is not None:
                if known.terms != terms:
                    raise PayError(400, "INVALID_REQUEST", "单号已存在但信息不一致")
                return self._answer(self._look(known))
            self._check_room(terms["openid"], terms["transfer_amount"])
            now = self._books.now()
            bill = Transfer(
                out_bill_no=number,
                transfer_bill_no=digits("1330", 32),
                openid=terms["openid"],
                amount=terms["transfer_amount"],
                terms=terms,
                notify_url=terms.get("notify_url", ""),
                package_info=secrets.token_urlsafe(24) + "==",
                created_at=now,
                updated_at=now,
                state="ACCEPTED" if is_slow else "WAIT_USER_CONFIRM",
                is_slow=is_slow,
            )
            self._books.put(bill)
        return self._answer(bill)

    def _read(self, body: Any, serial: str) -> _Request:
        check(
            body,
            required={
                "appid": str,
                "out_bill_no": str,
                "transfer_scene_id": str,
                "openid": str,
                "transfer_amount": int,
                "transfer_remark": str,
                "transfer_scene_report_infos": list,
            },
            optional={
                "user_name": str,
                "notify_url": str,
                "user_recv_perception": str,
                "user_recv_style": dict,
            },
        )
        if body["appid"] != self._config.app_id:
            raise PayError(400, "APPID_MCHID_NOT_MATCH", "AppID和mch_id不匹配")
        if not OUT_BILL_NO.fullmatch(body["out_bill_no"]):
            raise param_error("商户单号只能由数字、大小写字母组成")
        if self._books.get(User, body["openid"]) is None:
            raise param_error("无效的openid")
        if "notify_url" in body:
            check_notify_url(body["notify_url"])
        check_length(body["transfer_remark"], 1, 32, "transfer_remark")
        _check_scene(body)
        return _Request(body, self._read_name(body, serial))

    def _read_name(self, body: dict[str, Any], serial: str) -> str | None:
        """Decrypt the receiver's name, which large amounts need and tiny ones may not have."""
        sealed, amount = body.get("user_name"), body["transfer_amount"]
        if sealed is None:
            if amount >= NAME_FROM_FEN:
                raise param_error("转账金额大于等于2000元时，收款用户姓名必填")
            return None
        if amount < NAME_NOT_BELOW_FEN:
            raise param_error("转账金额小于0.3元时，不允许传入收款用户姓名")
        try:
            return decrypt_field(self._config.keys[serial], sealed)
        except (KeyError, ValueError):
            raise param_error("敏感信息解密失败") from None

    def _check_room(self, openid: str, amount: int) -> None:
        """Refuse what the limits or the balance do not allow."""
        terms = self._books.terms
        if not terms.min_fen <= amount <= terms.max_fen:
            raise PayError(400, "INVALID_REQUEST", "超过单笔转账上下限")
        midnight = day_begins(self._books.now())
        alive = [
            bill
            for bill in self._books.all(Transfer)
            if bill.created_at >= midnight and bill.is_alive
        ]
        received = sum(bill.amount for bill in alive if bill.openid == openid)
        if received + amount > terms.user_day_fen:
            raise PayError(400, "INVALID_REQUEST", "超过用户单日收款限额")
        if sum(bill.amount for bill in alive) + amount > terms.merchant_day_fen:
            raise PayError(400, "INVALID_REQUEST", "超过商户单日转账限额")
        if self._books.balance_fen < amount:
            raise PayError(403, "NOT_ENOUGH", "商户运营账户资金不足")

    def query(self, *, out_bill_no: str = "", transfer_bill_no: str = "") -> dict[str, Any]:
        """Return a bill by the merchant's number or by ours, without its package."""
        with self._books.lock:
            bill = self._books.get(Transfer, out_bill_no)
            bill = bill or self._books.find(Transfer, transfer_bill_no)
            if bill is None:
                raise PayError(404, "NOT_FOUND", "记录不存在")
            return self._describe(self._look(bill))

    def cancel(self, out_bill_no: str) -> dict[str, Any]:
        """Begin to take back a bill that was not accepted; it ends a moment later."""
        with self._books.lock:
            bill = self._get(out_bill_no)
            if bill.state in CANCELABLE:
                bill = self._put(bill, "CANCELING")
            elif bill.state not in {"CANCELING", "CANCELLED"}:
                raise PayError(400, "INVALID_REQUEST", "当前转账单状态不支持撤销")
        return {
            "out_bill_no": bill.out_bill_no,
            "transfer_bill_no": bill.transfer_bill_no,
            "state": bill.state,
            "update_time": wechat_time(bill.updated_at),
        }

    def confirm(self, out_bill_no: str) -> Transfer:
        """Let the receiver's phone accept; a name that is not theirs makes it fail."""
        with self._books.lock:
            bill = self._get(out_bill_no)
            if bill.state != "WAIT_USER_CONFIRM":
                raise PayError(409, "INVALID_REQUEST", f"转账单状态为{bill.state}")
            user, name = self._books.get(User, bill.openid), bill.terms.get("user_name")
            if name and user and user.real_name and user.real_name != name:
                return self._put(bill, "FAIL", "NAME_NOT_CORRECT")
            return self._put(bill, "TRANSFERING" if bill.is_slow else "SUCCESS")

    def fail(self, out_bill_no: str, reason: str) -> Transfer:
        """Let a bill fail for a reason of WeChat's."""
        with self._books.lock:
            bill = self._get(out_bill_no)
            if not bill.is_pending:
                raise PayError(409, "INVALID_REQUEST", f"转账单状态为{bill.state}")
            return self._put(bill, "FAIL", reason)

    def move_on(self) -> None:
        """Let time do its work: days pass unconfirmed, cancellations end, slow bills arrive."""
        with self._books.lock:
            for bill in self._books.pending(Transfer):
                if bill.state == "CANCELING":
                    self._put(bill, "CANCELLED", "MCH_CANCEL")
                elif bill.state == "TRANSFERING":
                    self._put(bill, "SUCCESS")
                elif self._books.now() - bill.created_at > DAY_SECONDS:
                    self._put(bill, "FAIL", "OVERDUE_CLOSE")

    def _get(self, out_bill_no: str) -> Transfer:
        bill = self._books.get(Transfer, out_bill_no)
        if bill is None:
            raise PayError(404, "NOT_FOUND", "记录不存在")
        return bill

    def _look(self, bill: Transfer) -> Transfer:
        """Return a bill as it is shown; each look moves a slow one on."""
        following = STEPS_OF_SLOW.get(bill.state)
        return self._put(bill, following) if bill.is_slow and following else bill

    def _put(self, bill: Transfer, state: str, reason: str = "") -> Transfer:
        now = self._books.now()
        moved = replace(bill, state=state, fail_reason=reason, updated_at=now)
        rows: list[Row] = [moved]
        if not moved.is_pending and moved.notify_url:
            notice = new_notice(
                event_type="MCHTRANSFER.BILL.FINISHED",
                original_type="mch_payment",
                summary="商家转账单据终态通知",
                url=moved.notify_url,
                resource=self._described_finish(moved),
                now=now,
            )
            rows.append(notice)
        self._books.put(*rows)
        return moved

    def _answer(self, bill: Transfer) -> dict[str, Any]:
        """Write a bill as the answer to a request for it: the only place that shows the package."""
        told: dict[str, Any] = {
            "out_bill_no": bill.out_bill_no,
            "transfer_bill_no": bill.transfer_bill_no,
            "create_time": wechat_time(bill.created_at),
            "state": bill.state,
        }
        if bill.state == "WAIT_USER_CONFIRM":
            told["package_info"] = bill.package_info
        if bill.fail_reason:
            told["fail_reason"] = bill.fail_reason
        return told

    def _describe(self, bill: Transfer) -> dict[str, Any]:
        told = self._described_finish(bill) | {
            "appid": self._config.app_id,
            "transfer_remark": bill.terms["transfer_remark"],
        }
        if bill.terms.get("user_name"):
            told["user_name"] = "***"
        return told

    def _described_finish(self, bill: Transfer) -> dict[str, Any]:
        told: dict[str, Any] = {
            "out_bill_no": bill.out_bill_no,
            "transfer_bill_no": bill.transfer_bill_no,
            "state": bill.state,
            "mch_id": self._config.mch_id,
            "transfer_amount": bill.amount,
            "openid": bill.openid,
            "create_time": wechat_time(bill.created_at),
            "update_time": wechat_time(bill.updated_at),
        }
        if bill.fail_reason:
            told["fail_reason"] = bill.fail_reason
        return told


def _check_scene(body: dict[str, Any]) -> None:
    """Refuse a scene without its reports, complete and exactly named, or a foreign perception."""
    scene = body["transfer_scene_id"]
    wanted = REPORTS_OF_SCENE.get(scene)
    if wanted is None:
        raise PayError(403, "NO_AUTH", "转账场景未开通")
    infos = body["transfer_scene_report_infos"]
    if not infos:
        raise param_error("需传入转账场景报备信息")
    for info in infos:
        check(
            info,
            required={"info_type": str, "info_content": str},
            optional={},
            where="/transfer_scene_report_infos",
        )
        check_length(info["info_type"], 1, 15, "info_type")
        check_length(info["info_content"], 1, 32, "info_content")
    if {info["info_type"] for info in infos} != wanted or len(infos) != len(wanted):
        raise param_error("未传入完整且对应的转账场景报备信息")
    perception = body.get("user_recv_perception")
    if perception is not None and perception not in PERCEPTIONS_OF_SCENE.get(scene, set()):
        raise param_error("暂不支持展示当前传入的用户收款感知")

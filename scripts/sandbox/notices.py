"""Callbacks: encrypted, signed, sent, repeated until the merchant answers well.

In automatic mode a thread does it as WeChat would, on a schedule compressed from a day to minutes.
In manual mode nothing moves until a flush, which says what became of each.
"""

import copy
import json
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from random import shuffle
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from scripts.sandbox.books import Books
from scripts.sandbox.config import Config
from scripts.sandbox.crypto import PROBE, encrypt_resource, stamp
from scripts.sandbox.faults import ON_NOTICE, Fault, Faults
from scripts.sandbox.rows import Notice
from scripts.sandbox.wording import wechat_time

TIMEOUT_SECONDS = 5
TICK_SECONDS = 0.2
STALE_SECONDS = 3600
SENDERS = 8


def new_notice(
    *,
    event_type: str,
    original_type: str,
    summary: str,
    url: str,
    resource: dict[str, Any],
    now: float,
) -> Notice:
    """Return a callback that is due at once."""
    return Notice(
        notice_id=str(uuid.uuid4()),
        event_type=event_type,
        original_type=original_type,
        summary=summary,
        url=url,
        resource=resource,
        created_at=now,
        due_at=time.time(),
    )


@dataclass(frozen=True)
class Flush:
    """How to deliver: how many copies of each, at once or in turn, in order or not."""

    copies: int = 1
    is_parallel: bool = False
    is_shuffled: bool = False
    can_wait: bool = False
    """What a fault shuffles comes seconds later; without, at the end of the flush."""
    event_type: str = ""


@dataclass(frozen=True)
class _Delivery:
    """One copy of a callback, ready to be sent."""

    notice: Notice
    headers: dict[str, str]
    body: bytes


class Postman:
    """Delivers callbacks."""

    def __init__(self, config: Config, books: Books, faults: Faults) -> None:
        self._config = config
        self._books = books
        self._faults = faults
        self._foreign_key = generate_private_key(public_exponent=65537, key_size=2048)
        self.serial = next(iter(config.keys))
        """The key that signs callbacks; changed to rehearse a rotation."""

    def run(self, before_each: Callable[[], None], stop: threading.Event) -> None:
        """Deliver what is due, for ever; `before_each` lets time do its work first."""
        while not stop.wait(TICK_SECONDS):
            before_each()
            due = [one for one in self._books.pending(Notice) if one.due_at <= time.time()]
            if due:
                self._deliver(due, Flush(is_parallel=True, can_wait=True))

    def flush(self, how: Flush) -> list[dict[str, Any]]:
        """Deliver everything that waits, due or not, and say what became of each copy."""
        waiting = [
            one for one in self._books.pending(Notice) if one.event_type.startswith(how.event_type)
        ]
        return self._deliver(waiting, how)

    def _deliver(self, notices: list[Notice], how: Flush) -> list[dict[str, Any]]:
        deliveries: list[_Delivery] = []
        postponed: list[_Delivery] = []
        for notice in notices:
            fault = self._faults.strike(notice.event_type, ON_NOTICE)
            if fault is not None and fault.fault == "silent":
                self._books.put(replace(notice, state="silenced"))
                continue
            is_late = fault is not None and fault.fault == "shuffle"
            if fault is not None and is_late and how.can_wait:
                self._books.put(replace(notice, due_at=time.time() + fault.seconds))
                continue
            copies = self._copies(notice, fault, how.copies)
            (postponed if is_late else deliveries).extend(copies)
        deliveries += postponed
        if how.is_shuffled:
            shuffle(deliveries)
        senders = SENDERS if how.is_parallel else 1
        with ThreadPoolExecutor(senders) as pool:
            statuses = list(pool.map(_send, deliveries))
        results = []
        for delivery, status in zip(deliveries, statuses, strict=True):
            self._record(delivery.notice, status)
            event = delivery.notice.event_type
            results.append({"id": delivery.notice.key, "event_type": event, "status": status})
        return results

    def _copies(self, notice: Notice, fault: Fault | None, copies: int) -> list[_Delivery]:
        delivery = self._pack(notice, fault)
        count = copies + 1 if fault is not None and fault.fault == "duplicate" else copies
        return [delivery] * count

    def _pack(self, notice: Notice, fault: Fault | None) -> _Delivery:
        kind = fault.fault if fault is not None else ""
        resource = notice.resource
        if fault is not None and kind == "alter":
            resource = altered(resource, fault.changes)
        body = seal(self._config.api_v3_key, notice, resource)
        key: RSAPrivateKey = self._config.keys[self.serial]
        if kind == "forge":
            key = self._foreign_key
        timestamp = int(time.time()) - (STALE_SECONDS if kind == "stale" else 0)
        headers = stamp(key, self.serial, body, timestamp=timestamp)
        if kind == "signtest":
            headers["Wechatpay-Signature"] = PROBE + headers["Wechatpay-Signature"]
        headers |= {"Content-Type": "application/json", "User-Agent": "Mozilla/4.0"}
        return _Delivery(notice, headers, body)

    def _record(self, notice: Notice, status: int | None) -> None:
        """Keep what became of a try; one good answer ends it."""
        with self._books.lock:
            now = self._books.get(Notice, notice.key) or notice
            if not now.is_pending:
                return
            tries = now.attempts + 1
            is_good = status in {200, 204}
            is_last = tries > len(self._config.retry_seconds)
            state = "delivered" if is_good else "given_up" if is_last else "pending"
            wait = 0.0 if is_last else self._config.retry_seconds[tries - 1]
            moved = replace(
                now, attempts=tries, state=state, last_status=status, due_at=time.time() + wait
            )
            self._books.put(moved, is_durable=False)


def seal(api_v3_key: bytes, notice: Notice, resource: dict[str, Any]) -> bytes:
    """Return the body of a callback."""
    plaintext = json.dumps(resource, ensure_ascii=False).encode()
    sealed = encrypt_resource(api_v3_key, plaintext, notice.original_type)
    envelope = {
        "id": notice.notice_id,
        "create_time": wechat_time(notice.created_at),
        "resource_type": "encrypt-resource",
        "event_type": notice.event_type,
        "summary": notice.summary,
        "resource": {"original_type": notice.original_type, **sealed},
    }
    return json.dumps(envelope, ensure_ascii=False).encode()


def altered(resource: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a copy with other values at dotted paths.

    >>> altered({"amount": {"total": 5}}, {"amount.total": 1, "mchid": "x"})
    {'amount': {'total': 1}, 'mchid': 'x'}
    """
    changed = copy.deepcopy(resource)
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = changed
        for name in parents:
            place = place[name]
        place[last] = value
    return changed


def _send(delivery: _Delivery) -> int | None:
    """Post one copy past any proxy and return the status, or None where nobody answered."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            response = session.post(
                delivery.notice.url,
                data=delivery.body,
                headers=delivery.headers,
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException:
            return None
        return response.status_code

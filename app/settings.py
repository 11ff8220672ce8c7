"""Every setting there is, read once from the environment.

Each field is an environment variable in capitals; README lists them all and a test compares the
two. Spans end in `_seconds` and go down to one second, amounts in `_fen`, so that a test or a
drill can run a whole life in seconds. A change never alters what was recorded before: periods are
stored on the rows they govern.
"""

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

DAY: int = 24 * 3600


class SettingsError(Exception):
    """The environment does not describe a process that can start; the text names the variable."""


def _parse_public_keys(text: str) -> dict[str, str]:
    """Read `SERIAL=path,SERIAL=path` into the PEM of each serial."""
    keys = {}
    for pair in filter(None, text.split(",")):
        serial, _, path = pair.partition("=")
        keys[serial.strip()] = Path(path.strip()).read_text()
    return keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this process is set up."""

    # Where truth and its doorbell live.
    database_url: str
    redis_url: str
    secret_key: str = field(repr=False)
    data_key: str = field(repr=False)
    """64 hex digits: encrypts phone numbers and names at rest and keys their look-up hash."""
    state_dir: str = "var"
    public_base_url: str = "http://127.0.0.1:8000"
    trusted_proxies: int = 0
    """How many proxies of ours stand before us; the address they report is then the caller's."""
    demo: bool = False
    """Shows demo logins on the sign-in page and lets the demo passwords stand."""

    # WeChat. The sandbox differs from the real service in base URLs and keys only.
    wechat_api_base_url: str = "https://api.weixin.qq.com"
    wechat_pay_base_url: str = "https://api.mch.weixin.qq.com"
    wechat_app_id: str
    wechat_app_secret: str = field(repr=False)
    wechat_mch_id: str
    wechat_mch_cert_serial: str
    wechat_mch_private_key_file: str
    wechat_api_v3_key: str = field(repr=False)
    wechat_pay_public_key_files: str
    """`SERIAL=path` pairs separated by commas; the first is sent as Wechatpay-Serial."""
    wechat_notify_base_url: str = ""
    """Where WeChat reaches us; empty means `public_base_url`."""
    wechat_env_version: str = "release"
    wechat_timeout_seconds: int = 10
    wechat_transfer_scene_id: str = "1005"
    wechat_transfer_job_title: str = "分销员"
    wechat_transfer_pay_note: str = "推广佣金"
    wechat_transfer_perception: str = "劳务报酬"

    # Members and ownership of customers.
    session_seconds: int = 30 * DAY
    fresh_sign_in_seconds: int = 300
    consent_version: str = "2026-11"
    binding_soft_seconds: int = 30 * DAY
    binding_lock_seconds: int = 180 * DAY
    existing_customers_bindable: bool = False
    code_misses_max: int = 5
    code_lock_seconds: int = 900

    # Staff.
    staff_idle_seconds: int = 8 * 3600
    staff_session_seconds: int = DAY

    # What people may ask about their own data.
    privacy_cooling_seconds: int = 7 * DAY
    """How long a wish to be erased can be taken back."""
    privacy_copy_seconds: int = 7 * DAY
    """How long the copy of one's data can be fetched."""
    former_customer_seconds: int = 180 * DAY
    """How long an erased customer is recognised who asks for what new ones get; 0: never."""

    # Orders.
    order_pay_seconds: int = 1800
    after_sale_seconds: int = 7 * DAY
    payment_query_seconds: int = 60
    refund_auto_approve: bool = True
    """Refunds of orders not yet redeemed or picked up need nobody's approval."""
    refund_query_seconds: int = 60
    refund_not_found_seconds: int = 300
    """How long 'not found' after sending a refund counts as 'perhaps still being accepted'."""

    # What counts as a purchase where a reward follows it.
    kept_order_fen: int = 1_000
    """A first order, or a friend's, counts from so much on that was not given back."""

    # Guest cards.
    card_share_seconds: int = DAY
    """How long a shared card waits to be claimed before it goes back to the giver's quota."""
    card_claims_per_device: int = 2
    card_book_ahead_seconds: int = 30 * DAY
    card_no_show_seconds: int = 7200
    """How long after a booking's end nobody can be said to have come."""
    card_block_seconds: int = 90 * DAY
    """How long whoever twice did not come can neither claim nor book."""
    card_conversion_seconds: int = 30 * DAY
    """A paid order within this time after the first use counts for the card."""

    # Coupons.
    coupon_grace_seconds: int = 3 * DAY
    """How long a coupon that a refund brings back near or after its end is good for, once."""

    # Points.
    points_per_yuan_spent: int = 1
    """Points for each whole yuan of what is paid, before the multiplier of a level."""
    points_per_yuan_off: int = 100
    """How many points take one yuan off an order."""
    points_deduction_max_bp: int = 5_000
    """Most of an order's goods, after all other discounts, that points may pay."""
    points_valid_seconds: int = 365 * DAY
    points_return_grace_seconds: int = 30 * DAY
    """How long points that come back after their lot was over are good."""
    points_notice_seconds: int = 30 * DAY
    """How long before points run out their owner is told."""
    points_adjust_second_points: int = 5_000
    """From here on a second person decides what staff grant or take by hand."""

    # Writing to customers.
    message_quiet_from_seconds: int = 21 * 3600
    """From this time of the day in Shanghai on, nothing that sells is sent."""
    message_quiet_until_seconds: int = 9 * 3600
    messages_per_day_max: int = 2
    """How many messages that sell something one person gets in a day."""
    review_window_seconds: int = 90 * DAY
    """How long after receiving it something can be reviewed."""

    # Membership.
    growth_per_yuan: int = 1
    """Growth for each whole yuan of what was paid and kept past the after-sale window."""

    # Plans.
    compliance_profile: str = "cn"
    """Which rules a plan is checked by; another profile can only be stricter."""
    payout_cap_max_bp: int = 5_000
    """No plan may be published whose cap lies above this share of what is paid."""
    plan_order_wait_seconds: int = 3
    """How long an event waits in plans with places, so that an earlier one can come first."""
    tree_stop_people: int = 30
    tree_stop_tiers: int = 3
    tree_stops_joining: bool = True
    """Whether a team that reaches both figures takes no newcomers until somebody lifts it."""

    # Payouts; WeChat's limits differ per merchant, so they are settings.
    payout_min_fen: int = 100
    payout_max_fen: int = 500_000
    payout_second_approval_fen: int = 50_000
    transfer_min_fen: int = 10
    transfer_max_fen: int = 20_000
    transfer_member_day_fen: int = 200_000
    transfer_merchant_day_fen: int = 5_000_000
    transfer_name_required_fen: int = 200_000
    payout_query_seconds: int = 60
    payout_not_found_seconds: int = 300
    """How long 'not found' after a send counts as 'perhaps still being accepted'."""

    # The back office.
    phone_looks_per_day: int = 50
    """How many whole phone numbers one member of staff may look at."""

    # Suspicions about distributors: a pattern of this size raises a flag, which holds payouts.
    risk_window_seconds: int = 90 * DAY
    """How far back customers and orders of a distributor are compared."""
    risk_hold_seconds: int = 30 * DAY
    """How long a flag that nobody decides holds payouts."""
    risk_binds_hour: int = 30
    risk_binds_day: int = 100
    risk_shared_people: int = 3
    risk_unpaid_device_people: int = 5
    risk_refund_bp: int = 3_000
    risk_refund_orders_min: int = 10
    risk_pair_orders: int = 2
    risk_by_word_day: int = 10
    """So many things handed over without a code by one of the staff in a day are looked at."""

    # How often the scheduler rings, and how hard callers may knock.
    sweep_seconds: int = 15
    relay_seconds: float = 0.5
    worker_count: int = 2
    rate_limit_per_minute: int = 120
    sign_in_limit_per_minute: int = 20
    metrics_token: str = field(default="", repr=False)
    """Where set, /metrics asks for it as a bearer token."""
    log_format: str = "json"

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; a missing or malformed one stops the process by name."""
        values: dict[str, Any] = {}
        for spec in fields(cls):
            name = spec.name.upper()
            text = env.get(name)
            if text is None:
                if spec.default is MISSING:
                    raise SettingsError(f"{name} is not set")
                continue
            try:
                values[spec.name] = _PARSERS[str(getattr(spec.type, "__name__", spec.type))](text)
            except ValueError as error:
                raise SettingsError(f"{name}: {error}") from None
        return cls(**values)

    @property
    def notify_base_url(self) -> str:
        """Return where WeChat sends its callbacks."""
        return self.wechat_notify_base_url or self.public_base_url

    def wechat_pay_public_keys(self) -> dict[str, str]:
        """Return WeChat Pay's public keys as PEM by serial, in the order given."""
        return _parse_public_keys(self.wechat_pay_public_key_files)


def _parse_bool(text: str) -> bool:
    if text.lower() in {"1", "true", "yes"}:
        return True
    if text.lower() in {"0", "false", "no", ""}:
        return False
    raise ValueError(f"{text!r} is neither true nor false")


_PARSERS: dict[str, Any] = {"str": str, "int": int, "float": float, "bool": _parse_bool}

"""Where data about a person stand: what a copy shows of each table, and what an erasure does to it.

One register serves both, and a test holds it against the database: a table that refers to a member
is listed here, or among `WITHOUT` with the reason. What books need stays (PIPL art. 47, 19; the
accounting law), without anything in it that names or finds the person.
"""

from collections.abc import Mapping
from typing import Final

from app.kernel.i18n import N_
from app.privacy.promotion_traces import PROMOTION_TRACES
from app.privacy.trace import Trace as Trace

TOMBSTONE: Final = "'erased:' || :id"
"""What stands where a name at WeChat stood; it is unique, as that was."""


TRACES: Final = (
    Trace(
        table="members",
        title=N_("Profile"),
        whose="id = :id",
        shown="id, wechat_openid, wechat_unionid, nickname, birthday_on, origin_store_id,"
        " registered_at, first_paid_at",
        opened={"phone_sealed": "phone"},
        erased={
            "wechat_openid": TOMBSTONE,
            "wechat_unionid": "NULL",
            "nickname": "''",
            "phone_sealed": "NULL",
            "phone_hash": "NULL",
            "birthday_on": "NULL",
        },
    ),
    Trace(
        table="member_avatars",
        title=N_("Picture"),
        shown="sha256, changed_at",
        is_deleted=True,
    ),
    Trace(
        table="doubtful_nicknames",
        title=N_("Nickname waiting for a look"),
        shown="found_at",
        is_deleted=True,
    ),
    Trace(
        table="consents",
        title=N_("Consents"),
        shown="purpose, version, granted_at, withdrawn_at",
        erased={"withdrawn_at": "coalesce(withdrawn_at, :now)"},
    ),
    Trace(
        table="member_sessions",
        title=N_("Signed-in devices"),
        shown="device_name, signed_in_at, expires_at, revoked_at",
        is_deleted=True,
    ),
    Trace(
        table="member_devices",
        title=N_("Devices"),
        shown="device_hash, first_seen_at",
        is_deleted=True,
    ),
    Trace(
        table="touches",
        title=N_("Scans and clicks"),
        shown="id, share_code_id, source, occurred_at, outcome, reason",
    ),
    Trace(
        table="bindings",
        title=N_("Who looked after you"),
        whose="customer_id = :id",
        shown="id, owner_id, owner_store_id, state, source, valid_from_at, valid_until_at",
    ),
    Trace(
        table="orders",
        title=N_("Orders"),
        shown="id, number, store_id, state, goods_fen, discount_fen, payable_fen, paid_fen,"
        " refunded_fen, created_at, paid_at, completed_at, settled_at, closed_at",
    ),
    Trace(
        table="order_lines",
        title=N_("What was ordered"),
        whose="order_id IN (SELECT id FROM orders WHERE member_id = :id)",
        shown="order_id, title, quantity, unit_price_fen, net_fen, refunded_fen",
    ),
    Trace(
        table="order_discounts",
        title=N_("What lowered the price"),
        whose="order_id IN (SELECT id FROM orders WHERE member_id = :id)",
        shown="order_id, kind, title, amount_fen, points, coupon_id",
    ),
    Trace(
        table="payments",
        title=N_("Payments"),
        whose="order_id IN (SELECT id FROM orders WHERE member_id = :id)",
        shown="order_id, wechat_transaction_id, offered_at, succeeded_at",
        erased={"payer_openid": TOMBSTONE},
    ),
    Trace(
        table="refunds",
        title=N_("Refunds"),
        whose="order_id IN (SELECT id FROM orders WHERE member_id = :id)",
        shown="number, order_id, amount_fen, points_back, coupons_back, reason, state,"
        " requested_at, ended_at",
    ),
    Trace(
        table="historic_orders",
        title=N_("Orders of former systems"),
        whose="member_id = :id OR expected_member_id IN"
        " (SELECT id FROM expected_members WHERE claimed_by_id = :id)",
        shown="number, store_id, title, amount_fen, paid_at",
    ),
    Trace(
        table="expected_members",
        title=N_("What the brand knew before"),
        whose="claimed_by_id = :id",
        shown="old_number, expected_at, claimed_at",
        erased={"phone_hash": f"{TOMBSTONE} || ':' || id", "nickname": "''", "birthday_on": "NULL"},
    ),
    Trace(
        table="import_rows",
        whose="values_sealed IS NOT NULL AND (run_id, subject_id) IN ("
        "SELECT i.id, whom.id FROM import_runs i JOIN ("
        "SELECT 'distributors' AS kind, :id AS id"
        " UNION ALL SELECT 'members', id FROM expected_members WHERE claimed_by_id = :id"
        " UNION ALL SELECT 'historic_orders', id FROM historic_orders WHERE member_id = :id"
        ") whom ON whom.kind = i.kind)",
        erased={"values_sealed": "NULL"},
    ),
    Trace(
        table="member_notes",
        title=N_("Notes of staff"),
        shown="text, written_at, struck_at",
        is_deleted=True,
    ),
    Trace(
        table="member_tags",
        title=N_("Tags"),
        shown="tag_id, tagged_at",
        is_deleted=True,
    ),
    Trace(
        table="follow_ups",
        title=N_("Follow-ups"),
        shown="what, due_on, state, created_at, ended_at",
        is_deleted=True,
    ),
    Trace(
        table="ownership_disputes",
        title=N_("Disputes about who looks after you"),
        whose="customer_id = :id",
        shown="id, about_at, state, opened_at, ended_at",
    ),
    Trace(
        table="distributors",
        title=N_("Distributor"),
        shown="kind, standing, level, recommender_id, direct_count, second_count,"
        " agreement_version, applied_at, approved_at",
        opened={"real_name_sealed": "real_name"},
        erased={"real_name_sealed": "NULL", "real_name_hash": "NULL"},
    ),
    Trace(
        table="distributor_steps",
        title=N_("Your standing as a distributor"),
        shown="from_standing, to_standing, at, reason",
    ),
    Trace(table="level_periods", title=N_("Levels"), shown="level, from_at, until_at, cause"),
    Trace(
        table="level_warnings",
        title=N_("Level warnings"),
        shown="level, given_at, until_at, ended_at, outcome",
    ),
    Trace(
        table="share_codes",
        title=N_("Share codes"),
        whose="distributor_id = :id",
        shown="code, page, created_at, revoked_at",
        erased={"revoked_at": "coalesce(revoked_at, :now)"},
    ),
    Trace(
        table="channels",
        title=N_("Channels"),
        whose="owner_id = :id",
        shown="id, name, kind, created_at",
        erased={"name": "'erased ' || id"},
    ),
    Trace(
        table="guest_cards",
        title=N_("Guest cards"),
        shown="id, title, state, giver_id, claimed_at, expires_at, first_used_at, over_at",
        erased={"device_hash": "NULL"},
    ),
    Trace(
        table="guest_card_bookings",
        title=N_("Bookings with guest cards"),
        shown="card_id, store_id, from_at, until_at, state, booked_at, ended_at",
    ),
    Trace(
        table="guest_card_uses",
        title=N_("Uses of guest cards"),
        shown="card_id, store_id, at",
    ),
    Trace(
        table="guest_card_quotas",
        title=N_("Guest cards to give"),
        whose="giver_id = :id",
        shown="template_id, month_on, granted, taken",
    ),
    Trace(
        table="awards",
        title=N_("Commission"),
        whose="beneficiary_id = :id",
        shown="id, order_id, kind, base_fen, rate_bp, amount_fen, reversed_fen, state, created_at,"
        " matured_at",
    ),
    Trace(
        table="gifts",
        title=N_("Gifts"),
        whose="beneficiary_id = :id",
        shown="id, kind, item, amount, state, created_at, ended_at",
    ),
    Trace(
        table="payouts",
        title=N_("Payouts"),
        shown="number, amount_fen, state, requested_at, ended_at",
    ),
    Trace(
        table="point_entries",
        title=N_("Points"),
        shown="kind, source, available_change, pending_change, debt_change, order_id, reason, at",
    ),
    Trace(
        table="point_lots",
        title=N_("Points by when they run out"),
        shown="source, granted_points, left_points, expired_points, granted_at, expires_at",
    ),
    Trace(
        table="mall_exchanges",
        title=N_("What you had for points"),
        shown="number, title, points, store_id, state, created_at, ended_at",
    ),
    Trace(
        table="ledger_accounts",
        title=N_("Balances"),
        shown="name, unit, balance",
    ),
    Trace(
        table="staff_bindings",
        title=N_("Staff mode"),
        shown="bound_at, ended_at",
    ),
    Trace(
        table="message_permissions",
        title=N_("Messages you allowed"),
        shown='wechat_template_id, "left", asked_at',
        is_deleted=True,
    ),
    Trace(
        table="messages",
        title=N_("Messages to you"),
        shown="id, data, page, state, created_at, sent_at",
        erased={"data": "'{}'::jsonb", "page": "''"},
    ),
    Trace(
        table="campaign_recipients",
        title=N_("Campaigns you were part of"),
        shown="campaign_id, is_control, taken_at, coupon_note, clicked_at",
    ),
    Trace(
        table="care_marks",
        title=N_("Birthday and care"),
        shown="rule_id, occasion, made_at",
        is_deleted=True,
    ),
    Trace(
        table="review_pictures",
        whose="review_id IN (SELECT id FROM reviews WHERE member_id = :id)",
        is_deleted=True,
    ),
    Trace(
        table="reviews",
        title=N_("Your reviews"),
        shown="id, order_id, product_id, stars, text, is_anonymous, state, written_at, edited_at,"
        " reply, replied_at",
        erased={"text": "''", "is_anonymous": "true"},
    ),
    Trace(
        table="questionnaire_answers",
        title=N_("Your answers to questionnaires"),
        shown="questionnaire_id, answers, answered_at",
        erased={"answers": "'{}'::jsonb"},
    ),
    Trace(
        table="coupons",
        title=N_("Coupons"),
        shown="id, template_id, state, channel, claimed_at, valid_until_at, order_id, amount_fen,"
        " used_at",
    ),
    Trace(
        table="memberships",
        title=N_("Membership"),
        shown="level_id, growth",
    ),
    Trace(
        table="growth_entries",
        title=N_("Growth"),
        shown="amount, source, order_id, counts_at, at, reason",
    ),
    Trace(
        table="level_holdings",
        title=N_("Membership levels held"),
        shown="level_id, basis, order_id, from_at, until_at, ended_at, reason",
    ),
    Trace(
        table="level_moves",
        title=N_("Changes of your membership level"),
        shown="from_level_id, to_level_id, cause, at, reason",
    ),
    Trace(
        table="given_rewards",
        title=N_("Rewards"),
        shown="kind, template_id, amount, source, state, asked_at, given_at",
    ),
    Trace(
        table="task_progress",
        title=N_("Tasks"),
        shown="task_id, count, done_at",
    ),
    *PROMOTION_TRACES,
    Trace(
        table="privacy_requests",
        title=N_("Requests about your data"),
        shown="kind, state, requested_at, ended_at",
    ),
)

WITHOUT: Final[Mapping[str, str]] = {
    "activity_days": "a count of acts, which are shown",
    "activity_tallies": "a count of the entries, which are shown",
    "buying_groups": "who opened one; the seats in it are shown",
    "coupon_holdings": "a count of the coupons, which are shown",
    "coupon_push_members": "whom coupons were pushed to; those that were given are shown",
    "handovers": "who handed what over; the orders say it to the customer, staff records to staff",
    "member_stores": "derived from origin, orders and bindings, which are shown",
    "order_rewards": "the statements of points and growth show what came of them",
    "payout_holds": "the payouts that were held are shown with their states",
    "mall_tallies": "derived from exchanges, which are shown",
    "plan_events": "how plans were decided; what came of it is shown as commission and gifts",
    "plan_places": "positions in plans are numbers; what came of them is shown",
    "point_earnings": "the statement of points shows what came of them",
    "point_spends": "the statement of points shows them",
    "risk_flags": "suspicions under examination; telling would defeat them (PIPL art. 18)",
    "spent_pickup_codes": "single-use codes, spent; the orders are shown",
    "team_stops": "a measure about a team, not about a person",
}
"""Tables that refer to members and are neither shown nor erased, each with its reason."""

FROZEN: Final[Mapping[str, tuple[str, ...]]] = {
    "touches": ("device_hash", "ip_hash"),
    "payouts": ("payee_openid",),
    "payout_bills": ("payee_openid", "request"),
    "ownership_disputes": ("claim",),
    "evidence_files": ("content",),
}
"""What rows that never change hold of a person: the database's own function erases it.

Pictures brought to a dispute go as a whole.
"""

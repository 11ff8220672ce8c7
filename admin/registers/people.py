"""Customers, distributors, staff, and what ties them to each other."""

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from admin.i18n import gettext
from admin.registers.kinds import Register, member_name
from admin.scopes import by_distributor, by_member, by_store, either, everybody
from app.attribution.dispute_models import OwnershipDispute
from app.attribution.models import Binding, Channel, ShareCode
from app.members.expected import ExpectedMember
from app.members.file_models import FollowUp, MemberNote
from app.members.models import Distributor, Member
from app.stores.models import Staff

CODE_SHOWN: Final = 6
"""Enough of a share code to tell two apart on a page, too little to use."""

REGISTERS: Final[Mapping[str, Register]] = {
    "members": Register(
        "members",
        Member.id,
        sa.select(Member.id, Member.nickname),
        member_name,
        by_member(Member.id),
    ),
    "distributors": Register(
        "distributors",
        Distributor.member_id,
        sa.select(Distributor.member_id, Member.nickname).join(Distributor.member),
        member_name,
        by_store(Distributor.store_id),
    ),
    "staff": Register(
        "staff",
        Staff.id,
        sa.select(Staff.id, Staff.name),
        lambda row: str(row.name),
        everybody,
    ),
    "notes": Register(
        "notes",
        MemberNote.id,
        sa.select(MemberNote.id),
        lambda row: gettext("Note %(id)s", id=row[0]),
        by_member(MemberNote.member_id),
    ),
    "follow_ups": Register(
        "follow_ups",
        FollowUp.id,
        sa.select(FollowUp.id),
        lambda row: gettext("Follow-up %(id)s", id=row[0]),
        by_member(FollowUp.member_id),
    ),
    "expected_members": Register(
        "expected_members",
        ExpectedMember.id,
        sa.select(ExpectedMember.id, ExpectedMember.old_number),
        lambda row: row.old_number or gettext("Expected customer %(id)s", id=row[0]),
        by_store(ExpectedMember.origin_store_id),
    ),
    "channels": Register(
        "channels",
        Channel.id,
        sa.select(Channel.id, Channel.name),
        lambda row: str(row.name),
        either(by_store(Channel.store_id), by_distributor(Channel.owner_id)),
    ),
    "share_codes": Register(
        "share_codes",
        ShareCode.id,
        sa.select(ShareCode.id, ShareCode.code),
        lambda row: f"{row.code[:CODE_SHOWN]}…",
        either(by_store(ShareCode.owner_store_id), by_distributor(ShareCode.distributor_id)),
    ),
    "bindings": Register(
        "bindings",
        Binding.id,
        sa.select(Binding.id),
        lambda row: gettext("Binding %(id)s", id=row[0]),
        by_member(Binding.customer_id),
    ),
    "disputes": Register(
        "disputes",
        OwnershipDispute.id,
        sa.select(OwnershipDispute.id),
        lambda row: gettext("Dispute %(id)s", id=row[0]),
        by_member(OwnershipDispute.customer_id),
    ),
}

"""Reading members, their sessions and their teams."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session, aliased

from app.members.errors import MemberNotFound, NotADistributor
from app.members.models import (
    Consent,
    ConsentPurpose,
    Distributor,
    DistributorKind,
    DistributorStep,
    Member,
    MemberDevice,
    MemberSession,
)
from app.members.states import Standing

FIRST_TIER: Final = 1
SECOND_TIER: Final = 2


@dataclass(frozen=True, slots=True)
class SignedInMember:
    """Who a token stands for."""

    session_id: int
    member_id: int
    signed_in_at: datetime
    nickname: str


_members: Final = Member.__table__
_sessions: Final = MemberSession.__table__
_distributors: Final = Distributor.__table__
_consents: Final = Consent.__table__

_BY_TOKEN: Final = (
    sa.select(_sessions.c.id, _members.c.id, _sessions.c.signed_in_at, _members.c.nickname)
    .join(_members, _members.c.id == _sessions.c.member_id)
    .where(
        _sessions.c.token_hash == sa.bindparam("token_hash"),
        _sessions.c.expires_at > sa.func.now(),
        _sessions.c.revoked_at.is_(None),
        _members.c.deleted_at.is_(None),
    )
)
"""Built once, and of columns instead of objects: every request runs it."""


def session_by_token(session: Session, token_hash: str) -> SignedInMember | None:
    """Return whom a token's digest stands for, by the database's clock; None where nobody."""
    row = session.execute(_BY_TOKEN, {"token_hash": token_hash}).one_or_none()
    return None if row is None else SignedInMember(*row)


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """What a member agrees to at present, for one purpose."""

    purpose: ConsentPurpose
    version: str
    granted_at: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """What a member sees of themselves; `consents` are those in force, the newest first."""

    member_id: int
    nickname: str
    phone_sealed: str | None
    birthday_on: date | None
    registered_at: datetime
    standing: Standing | None
    consents: tuple[GivenConsent, ...]


_PROFILE: Final = (
    sa.select(
        _members.c.id,
        _members.c.nickname,
        _members.c.phone_sealed,
        _members.c.birthday_on,
        _members.c.registered_at,
        _distributors.c.standing,
        _consents.c.purpose,
        _consents.c.version,
        _consents.c.granted_at,
    )
    .outerjoin(_distributors, _distributors.c.member_id == _members.c.id)
    .outerjoin(
        _consents, (_consents.c.member_id == _members.c.id) & _consents.c.withdrawn_at.is_(None)
    )
    .where(_members.c.id == sa.bindparam("member_id"), _members.c.deleted_at.is_(None))
    .order_by(_consents.c.id.desc())
)


def profile(session: Session, member_id: int) -> Profile:
    """Return a member's own view in one SELECT. Raises `MemberNotFound`, also for one deleted.

    It reads columns, so what is pending in the session must have been flushed.
    """
    rows = session.execute(_PROFILE, {"member_id": member_id}).all()
    if not rows:
        raise MemberNotFound
    consents = (GivenConsent(*row[-3:]) for row in rows if row.purpose is not None)
    return Profile(*rows[0][:-3], tuple(consents))


def get_member(session: Session, member_id: int) -> Member:
    """Return a member. Raises `MemberNotFound`, also for one who was deleted."""
    member = session.get(Member, member_id)
    if member is None or member.deleted_at is not None:
        raise MemberNotFound
    return member


def devices(session: Session, member_id: int, *, at: datetime) -> Sequence[MemberSession]:
    """Return the sessions of a member that are live at an instant, the newest first."""
    return session.scalars(
        sa.select(MemberSession)
        .where(
            MemberSession.member_id == member_id,
            MemberSession.revoked_at.is_(None),
            MemberSession.expires_at > at,
        )
        .order_by(MemberSession.id.desc())
    ).all()


def consents(session: Session, member_id: int) -> Sequence[Consent]:
    """Return everything a member ever agreed to, the newest first."""
    return session.scalars(
        sa.select(Consent).where(Consent.member_id == member_id).order_by(Consent.id.desc())
    ).all()


def distributor(session: Session, member_id: int) -> Distributor | None:
    """Return the distributor that a member is or has asked to be."""
    return session.get(Distributor, member_id)


def active_distributor(session: Session, member_id: int) -> Distributor:
    """Return a distributor who may earn. Raises `NotADistributor` for everybody else."""
    row = session.get(Distributor, member_id)
    if row is None or row.standing is not Standing.ACTIVE:
        raise NotADistributor
    return row


def distributor_steps(session: Session, member_id: int) -> Sequence[DistributorStep]:
    """Return how a distributor came to stand where they stand, the first step first."""
    return session.scalars(
        sa.select(DistributorStep)
        .where(DistributorStep.member_id == member_id)
        .order_by(DistributorStep.id)
    ).all()


class UplineRow(NamedTuple):
    """One distributor above another."""

    member_id: int
    standing: Standing
    level: int
    kind: DistributorKind


def upline(session: Session, member_id: int, depth: int) -> list[UplineRow]:
    """Return the distributors above one, nearest first, whatever their standing.

    The one asked about is not among them; `depth` is how many at most.
    """
    above = _chain_above(member_id, depth)
    rows = session.execute(
        sa.select(Distributor.member_id, Distributor.standing, Distributor.level, Distributor.kind)
        .join(above, above.c.member_id == Distributor.member_id)
        .order_by(above.c.distance)
    )
    return [UplineRow(*row) for row in rows]


def is_above(session: Session, upper_id: int, lower_id: int) -> bool:
    """Tell whether one distributor stands anywhere above another."""
    above = _chain_above(lower_id, None)
    return (
        session.scalar(sa.select(above.c.member_id).where(above.c.member_id == upper_id))
        is not None
    )


def _chain_above(member_id: int, depth: int | None) -> sa.CTE:
    start = sa.select(
        Distributor.recommender_id.label("member_id"), sa.literal(1).label("distance")
    ).where(Distributor.member_id == member_id, Distributor.recommender_id.is_not(None))
    chain = start.cte("chain", recursive=True)
    further = (
        sa.select(Distributor.recommender_id, chain.c.distance + 1)
        .join(chain, Distributor.member_id == chain.c.member_id)
        .where(Distributor.recommender_id.is_not(None))
    )
    if depth is not None:
        further = further.where(chain.c.distance < depth)
    return chain.union_all(further)


def same_person(member: Member) -> ColumnElement[bool]:
    """Return the condition for every account of the person behind a member.

    Accounts of one person share the phone number or the unionid.
    """
    same = [Member.id == member.id]
    if member.phone_hash is not None:
        same.append(Member.phone_hash == member.phone_hash)
    if member.wechat_unionid is not None:
        same.append(Member.wechat_unionid == member.wechat_unionid)
    return sa.or_(*same)


def has_bought(session: Session, member: Member) -> bool:
    """Tell whether somebody has paid for anything here, under any account of theirs."""
    paid = sa.exists().where(same_person(member), Member.first_paid_at.is_not(None))
    return bool(session.scalar(sa.select(paid)))


def household_of(session: Session, member_id: int, others: Collection[int]) -> set[int]:
    """Return which of the others count as one with a member.

    They share a phone number, a device, a unionid or a verified real name; all are compared by
    keyed hash. The member is not in their own household: asking about oneself is another rule.
    """
    wanted = set(others) - {member_id}
    if not wanted:
        return set()
    me, other = aliased(Member), aliased(Member)
    alike = sa.or_(
        other.phone_hash == me.phone_hash,
        other.wechat_unionid == me.wechat_unionid,
        _shares_device(me, other),
        _shares_name(me, other),
    )
    return set(
        session.scalars(sa.select(other.id).where(me.id == member_id, other.id.in_(wanted), alike))
    )


def _shares_device(me: type[Member], other: type[Member]) -> sa.Exists:
    mine, theirs = aliased(MemberDevice), aliased(MemberDevice)
    return sa.exists().where(
        mine.member_id == me.id,
        theirs.member_id == other.id,
        mine.device_hash == theirs.device_hash,
    )


def _shares_name(me: type[Member], other: type[Member]) -> sa.Exists:
    mine, theirs = aliased(Distributor), aliased(Distributor)
    return sa.exists().where(
        mine.member_id == me.id,
        theirs.member_id == other.id,
        mine.real_name_hash == theirs.real_name_hash,
    )


class TeamCounts(NamedTuple):
    """How many distributors stand below one, by tier, whatever their standing."""

    direct: int
    second: int


def team_counts(session: Session, member_id: int) -> TeamCounts:
    """Return the size of a team, read from one row however large the team is."""
    row = session.execute(
        sa.select(Distributor.direct_count, Distributor.second_count).where(
            Distributor.member_id == member_id
        )
    ).one_or_none()
    return TeamCounts(*row) if row is not None else TeamCounts(0, 0)


class TeamRow(NamedTuple):
    """One distributor in somebody's team, as that person may see them."""

    member_id: int
    nickname: str
    standing: Standing
    level: int
    recommender_id: int | None
    direct_count: int
    applied_at: datetime
    approved_at: datetime | None


def team_page(
    session: Session, member_id: int, *, tier: int, after_id: int | None, limit: int
) -> list[TeamRow]:
    """Return a page of a tier, the newest member first, after the id where the last page ended.

    An index holds each tier in this order, so a page costs the same in a team of any size.
    """
    above = {
        FIRST_TIER: Distributor.recommender_id,
        SECOND_TIER: Distributor.second_recommender_id,
    }[tier]
    statement = (
        sa.select(
            Distributor.member_id,
            Member.nickname,
            Distributor.standing,
            Distributor.level,
            Distributor.recommender_id,
            Distributor.direct_count,
            Distributor.applied_at,
            Distributor.approved_at,
        )
        .join(Member, Member.id == Distributor.member_id)
        .where(above == member_id)
        .order_by(Distributor.member_id.desc())
        .limit(limit)
    )
    if after_id is not None:
        statement = statement.where(Distributor.member_id < after_id)
    return [TeamRow(*row) for row in session.execute(statement)]

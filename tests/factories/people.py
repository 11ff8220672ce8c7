"""Members, distributors, stores, staff, share codes and bindings for tests.

Each function takes the session, fills in what the test does not care about, flushes and returns
the row. What it writes holds every invariant: counters, histories, consents.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.attribution.models import (
    Binding,
    BindingEvent,
    BindingState,
    BindingStep,
    Channel,
    ChannelKind,
    ShareCode,
    Touch,
    TouchOutcome,
    TouchSource,
)
from app.attribution.rules import BindingRule
from app.kernel.ids import digest, random_text
from app.kernel.secrecy import vault
from app.members.models import (
    Consent,
    ConsentPurpose,
    Distributor,
    DistributorKind,
    DistributorStep,
    Member,
    MemberDevice,
    MemberSession,
    Standing,
)
from app.stores import sessions
from app.stores.models import Role, Staff, Store

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_AGO: Final = NOON - timedelta(days=400)
RULE: Final = BindingRule(30 * 86_400, 180 * 86_400, existing_customers_bindable=False)
_numbers = count(1)


def make_store(session: Session, name: str | None = None) -> Store:
    store = Store(name=name or f"Store {next(_numbers)}")
    session.add(store)
    session.flush()
    return store


def make_staff(
    session: Session,
    *roles: str,
    stores: Sequence[Store] = (),
    sees_all_stores: bool | None = None,
    name: str | None = None,
) -> Staff:
    """Roles by name, `owner` where none is given; all stores unless some are named."""
    number = next(_numbers)
    for role in roles or ("owner",):
        session.execute(insert(Role).values(name=role).on_conflict_do_nothing())
    staff = Staff(
        name=name or f"Staff {number}",
        email=f"staff{number}@example.com",
        sees_all_stores=not stores if sees_all_stores is None else sees_all_stores,
        fs_uniquifier=random_text(64),
        roles=list(session.scalars(sa.select(Role).where(Role.name.in_(roles or ("owner",))))),
        stores=list(stores),
    )
    session.add(staff)
    session.flush()
    return staff


def make_staff_session(session: Session, staff: Staff) -> str:
    """A browser at which somebody has signed in just now; returns the token of its cookie.

    Whether a session goes on is decided by the database's clock.
    """
    now = session.scalars(sa.select(sa.func.clock_timestamp())).one()
    caller = sessions.Caller("192.0.2.1", "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0")
    return sessions.begin(session, staff.id, caller, lasts_seconds=86_400, now=now)


def make_member(
    session: Session,
    *,
    openid: str | None = None,
    unionid: str | None = None,
    nickname: str = "",
    phone: str | None = None,
    device: str | None = None,
    registered_at: datetime = LONG_AGO,
    first_paid_at: datetime | None = None,
    origin_store_id: int | None = None,
) -> Member:
    """A member who agreed to the service; `phone` in full, such as +8613800001111."""
    member = Member(
        wechat_openid=openid or f"openid-{next(_numbers)}-{random_text(8)}",
        wechat_unionid=unionid,
        nickname=nickname,
        phone_sealed=vault().seal(phone) if phone else None,
        phone_hash=vault().look_up("phone", phone) if phone else None,
        registered_at=registered_at,
        first_paid_at=first_paid_at,
        origin_store_id=origin_store_id,
    )
    session.add(member)
    session.flush()
    for purpose in [ConsentPurpose.SERVICE] + [ConsentPurpose.PHONE] * (phone is not None):
        session.add(
            Consent(
                member_id=member.id, purpose=purpose, version="2026-11", granted_at=registered_at
            )
        )
    if device:
        session.add(
            MemberDevice(
                member_id=member.id,
                device_hash=vault().look_up("device", device),
                first_seen_at=registered_at,
            )
        )
    session.flush()
    return member


def make_session(
    session: Session,
    member: Member,
    *,
    signed_in_at: datetime = NOON,
    expires_at: datetime | None = None,
) -> str:
    """A signed-in device of a member; returns the bearer token.

    Who is signed in is decided by the database's clock, so the session ends far in the future.
    """
    token = random_text(43)
    session.add(
        MemberSession(
            member_id=member.id,
            token_hash=digest(token),
            signed_in_at=signed_in_at,
            expires_at=expires_at or datetime(2999, 1, 1, tzinfo=UTC),
        )
    )
    session.flush()
    return token


def make_distributor(
    session: Session,
    member: Member | None = None,
    *,
    recommender: Distributor | None = None,
    standing: Standing = Standing.ACTIVE,
    level: int = 1,
    kind: DistributorKind = DistributorKind.PERSON,
    store_id: int | None = None,
    real_name: str | None = None,
    now: datetime = LONG_AGO,
) -> Distributor:
    """A distributor under a recommender, with both counters above it and its history."""
    if recommender is not None:
        session.refresh(recommender)
    decided = standing in {Standing.ACTIVE, Standing.FROZEN, Standing.QUIT}
    row = Distributor(
        member_id=(member or make_member(session)).id,
        kind=kind,
        standing=standing,
        level=level,
        recommender_id=recommender.member_id if recommender else None,
        recommender_team_order=recommender.team_order if recommender else None,
        second_recommender_id=recommender.recommender_id if recommender else None,
        real_name_sealed=vault().seal(real_name) if real_name else None,
        real_name_hash=vault().look_up("real_name", real_name) if real_name else None,
        agreement_version="2026-11",
        store_id=store_id,
        applied_at=now,
        approved_at=now if decided else None,
    )
    session.add(row)
    session.flush()
    if recommender is not None:
        recommender.direct_count += 1
        if recommender.recommender_id is not None:
            session.execute(
                sa.update(Distributor)
                .where(Distributor.member_id == recommender.recommender_id)
                .values(second_count=Distributor.second_count + 1)
            )
    _write_history(session, row, now)
    session.flush()
    session.refresh(row)
    return row


def _write_history(session: Session, row: Distributor, now: datetime) -> None:
    """Say how the distributor came to their standing."""
    path = {
        Standing.APPLIED: [Standing.APPLIED],
        Standing.REFUSED: [Standing.APPLIED, Standing.REFUSED],
        Standing.ACTIVE: [Standing.APPLIED, Standing.ACTIVE],
        Standing.FROZEN: [Standing.APPLIED, Standing.ACTIVE, Standing.FROZEN],
        Standing.QUIT: [Standing.APPLIED, Standing.ACTIVE, Standing.QUIT],
    }[row.standing]
    before: Standing | None = None
    for standing in path:
        session.add(
            DistributorStep(
                member_id=row.member_id,
                from_standing=before,
                to_standing=standing,
                recommender_id=row.recommender_id,
                at=now,
                actor="system",
                reason="test",
            )
        )
        before = standing


def make_team(session: Session, depth: int) -> list[Distributor]:
    """A line of distributors, each recommended by the one before; the top comes first."""
    line: list[Distributor] = []
    for _ in range(depth):
        line.append(make_distributor(session, recommender=line[-1] if line else None))
    return line


def make_channel(
    session: Session,
    *,
    owner_id: int | None = None,
    store_id: int | None = None,
    name: str | None = None,
    kind: ChannelKind = ChannelKind.GROUP,
) -> Channel:
    channel = Channel(
        name=name or f"Channel {next(_numbers)}",
        kind=kind,
        owner_id=owner_id,
        store_id=store_id,
        created_at=LONG_AGO,
    )
    session.add(channel)
    session.flush()
    return channel


def make_share_code(
    session: Session,
    *,
    distributor: Distributor | None = None,
    store: Store | None = None,
    channel: Channel | None = None,
    page: str = "pages/index/index",
    product_id: int | None = None,
    revoked_at: datetime | None = None,
) -> ShareCode:
    """A code of a distributor, or of a store; of a new distributor where neither is given."""
    if distributor is None and store is None:
        distributor = make_distributor(session)
    owner_id = distributor.member_id if distributor else None
    code = ShareCode(
        code=random_text(22),
        distributor_id=owner_id,
        owner_store_id=store.id if store else None,
        channel_id=(channel or make_channel(session, owner_id=owner_id)).id,
        page=page,
        product_id=product_id,
        created_at=LONG_AGO,
        revoked_at=revoked_at,
    )
    session.add(code)
    session.flush()
    return code


def make_binding(
    session: Session,
    *,
    customer: Member | None = None,
    owner: Distributor | None = None,
    store: Store | None = None,
    state: BindingState = BindingState.SOFT,
    source: TouchSource = TouchSource.POSTER,
    valid_from_at: datetime = NOON - timedelta(days=1),
    valid_until_at: datetime | None = None,
) -> Binding:
    """A customer's binding with the touch that made it, in force at `NOON` by default."""
    if owner is None and store is None:
        owner = make_distributor(session)
    days = 30 if state is BindingState.SOFT else 180
    customer = customer or make_member(session)
    binding = Binding(
        customer_id=customer.id,
        owner_id=owner.member_id if owner else None,
        owner_store_id=store.id if store else None,
        state=state,
        source=source,
        valid_from_at=valid_from_at,
        valid_until_at=valid_until_at or valid_from_at + timedelta(days=days),
        rule=RULE.to_json(),
    )
    session.add(binding)
    session.flush()
    touch = Touch(
        share_code_id=make_share_code(session, distributor=owner, store=store).id,
        member_id=customer.id,
        source=source,
        occurred_at=valid_from_at,
        outcome=TouchOutcome.BOUND,
        reason="new_customer",
        binding_id=binding.id,
    )
    session.add(touch)
    session.flush()
    events = [BindingEvent.BOUND] + [BindingEvent.LOCKED] * (state is BindingState.LOCKED)
    for event in events:
        session.add(
            BindingStep(
                binding_id=binding.id,
                event=event,
                at=valid_from_at,
                valid_until_at=binding.valid_until_at,
                touch_id=touch.id if event is BindingEvent.BOUND else None,
                actor="system",
                reason="test",
            )
        )
    session.flush()
    return binding

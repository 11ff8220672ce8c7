"""The caller's own data: profile, phone, consents, and who looks after them."""

from datetime import date, datetime
from typing import Annotated, Self

from flask import Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.access import settings
from app.attribution import queries as attribution
from app.attribution.models import BindingState, TouchSource
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.kernel.pictures import MEDIA_TYPE
from app.kernel.secrecy import mask_phone, vault
from app.members import avatars, queries, services, texts
from app.members.errors import AvatarMissing, ConsentRequired
from app.members.models import Consent, ConsentPurpose, Standing
from app.members.queries import GivenConsent
from app.stores.models import Store
from app.wechat.texts import TextScene
from miniprogram_api import uploads
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import caller
from miniprogram_api.fields import Body, ConsentVersion, Text, View, WeChatCode, example
from miniprogram_api.routing import Group

group = Group("me", about="The caller's own data.")


class ConsentView(View):
    """What the member agrees to at present, for one purpose."""

    purpose: ConsentPurpose
    version: str
    granted_at: datetime

    @classmethod
    def of(cls, consent: Consent | GivenConsent) -> Self:
        """Show a consent."""
        return cls(purpose=consent.purpose, version=consent.version, granted_at=consent.granted_at)


class MeView(View):
    """The caller. The phone number is masked; the whole one is never sent."""

    model_config = View.model_config | example(
        {
            "id": 12,
            "nickname": "小美",
            "phone": "+86****1111",
            "birthday_on": "1998-05-20",
            "registered_at": "2026-03-01T12:00:00Z",
            "avatar": None,
            "distributor_standing": "active",
            "consents": [
                {"purpose": "service", "version": "2026-11", "granted_at": "2026-03-01T12:00:00Z"}
            ],
        }
    )

    id: int
    nickname: str
    phone: str | None
    birthday_on: date | None
    registered_at: datetime
    avatar: Annotated[
        str | None, Field(description="Digest of the picture at /me/avatar; changes with it")
    ]
    distributor_standing: Standing | None
    consents: list[ConsentView]


class ProfileChange(Body):
    """What to change; what is left out stays."""

    model_config = Body.model_config | example({"nickname": "小美", "birthday_on": "1998-05-20"})

    nickname: Text | None = None
    birthday_on: date | None = None


class PhoneRequest(Body):
    """The code of the phone number button, and the version of the consent to keep the number."""

    model_config = Body.model_config | example(
        {"code": "e31968a7f94cc5ee25fafc2aef2773f0", "consent_version": "2026-11"}
    )

    code: WeChatCode
    consent_version: ConsentVersion


class ConsentGrant(Body):
    """The version of the text that the member agrees to."""

    model_config = Body.model_config | example({"version": "2026-11"})

    version: ConsentVersion


class OwnerView(View):
    """Who looks after the caller: a distributor or a store, by the name they go by."""

    kind: Annotated[str, Field(pattern="^(distributor|store)$")]
    name: str
    state: BindingState
    source: TouchSource
    since_at: datetime
    until_at: datetime


class OwnershipView(View):
    """Who looks after the caller at present; nobody where `owner` is null."""

    owner: OwnerView | None


def show(session: Session, member_id: int) -> MeView:
    """Show a member to themselves."""
    found = queries.profile(session, member_id)
    return MeView(
        id=found.member_id,
        nickname=found.nickname,
        phone=mask_phone(vault().open(found.phone_sealed)) if found.phone_sealed else None,
        birthday_on=found.birthday_on,
        registered_at=found.registered_at,
        avatar=avatars.avatar_digest(session, member_id),
        distributor_standing=found.standing,
        consents=[ConsentView.of(one) for one in found.consents],
    )


@group.operation("GET", "/me")
def show_me() -> MeView:
    """Show the caller."""
    return show(db.session(), caller().member_id)


@group.operation("PATCH", "/me")
def change_me(body: ProfileChange) -> MeView:
    """Change the caller's nickname or birthday.

    WeChat looks at a nickname first: what must not be shown is refused, and what is in doubt is
    kept, but shown to no stranger until staff have looked at it.
    """
    now, who = moment(), caller()
    is_clear = body.nickname is None or texts.may_be_shown(
        who.member_id, scene=TextScene.PROFILE, text=body.nickname
    )

    def act(session: Session) -> MeView:
        services.update_profile(
            session, who.member_id, nickname=body.nickname, birthday_on=body.birthday_on, now=now
        )
        if body.nickname is not None:
            avatars.mark_nickname(session, who.member_id, is_clear=is_clear, now=now)
        return show(session, who.member_id)

    return at_once(act)


@group.operation("GET", "/me/avatar", produces=MEDIA_TYPE)
def show_avatar() -> Response:
    """Return the caller's picture, a square JPEG."""
    found = avatars.avatar_of(db.session(), caller().member_id)
    if found is None:
        raise AvatarMissing
    response = Response(found.content, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "private, max-age=60"
    return response


@group.operation("POST", "/me/avatar", takes_picture=True)
def put_avatar() -> MeView:
    """Keep a picture of the caller: a JPEG, PNG or WebP of at most 2 MB and 25 megapixels.

    It is drawn anew as a small square without anything but its pixels.
    """
    who = caller()
    drawn = avatars.redraw(uploads.picture(bytes_max=avatars.UPLOAD_BYTES_MAX))
    now = moment()

    def act(session: Session) -> MeView:
        avatars.put_avatar(session, who.member_id, drawn, now=now)
        return show(session, who.member_id)

    return at_once(act)


@group.operation("DELETE", "/me/avatar")
def remove_avatar() -> None:
    """Take the caller's picture away. Doing it twice is no error."""
    who = caller()
    at_once(lambda session: avatars.remove_avatar(session, who.member_id))


@group.operation("POST", "/me/phone")
def set_phone(body: PhoneRequest) -> MeView:
    """Keep the number that WeChat knows of the caller. Needs their consent to exactly that."""
    _require_current(ConsentPurpose.PHONE, body.consent_version)
    services.set_phone(
        caller().member_id, code=body.code, consent_version=body.consent_version, now=moment()
    )
    return show_me()


@group.operation("PUT", "/me/consents/<purpose:purpose>")
def grant_consent(purpose: ConsentPurpose, body: ConsentGrant) -> ConsentView:
    """Agree to one purpose, in the version in force. The same again changes nothing."""
    _require_current(purpose, body.version)
    now, who = moment(), caller()
    return at_once(
        lambda session: ConsentView.of(
            services.grant_consent(
                session, who.member_id, purpose=purpose, version=body.version, now=now
            )
        )
    )


@group.operation("DELETE", "/me/consents/<purpose:purpose>")
def withdraw_consent(purpose: ConsentPurpose) -> None:
    """Take a consent back, at once.

    Without `phone` the number is erased, without `service` every device is signed out.
    """
    now, who = moment(), caller()
    at_once(
        lambda session: services.withdraw_consent(session, who.member_id, purpose=purpose, now=now)
    )


@group.operation("GET", "/me/ownership")
def show_ownership() -> OwnershipView:
    """Show who looks after the caller, and until when."""
    session = db.session()
    binding = attribution.binding_in_force(session, caller().member_id, at=utc_now())
    if binding is None:
        return OwnershipView(owner=None)
    if binding.owner_id is not None:
        kind, name = "distributor", queries.get_member(session, binding.owner_id).nickname
    else:
        kind, name = "store", session.get_one(Store, binding.owner_store_id).name
    return OwnershipView(
        owner=OwnerView(
            kind=kind,
            name=name,
            state=binding.state,
            source=binding.source,
            since_at=binding.valid_from_at,
            until_at=binding.valid_until_at,
        )
    )


def _require_current(purpose: ConsentPurpose, version: str) -> None:
    """Raise where someone agrees to a text that is not the one in force."""
    if version != settings().consent_version:
        raise ConsentRequired(purpose, settings().consent_version)

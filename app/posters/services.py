"""What staff do with poster templates: make, edit, publish and retire them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session, undefer

from app.attribution.codes import PAGE, PAGE_LENGTH_MAX
from app.kernel import audit, pictures
from app.kernel.audit import Actor, Change, Subject
from app.kernel.pictures import Bounds, Picture
from app.members.profiles import has_controls
from app.posters import layout as layouts
from app.posters.errors import (
    PosterInvalid,
    PosterNotFound,
    PosterNotYours,
    PosterStateConflict,
)
from app.posters.layout import HEIGHT_MAX, HEIGHT_MIN, WIDTH
from app.posters.models import NAME_LENGTH_MAX, PosterTemplate, PosterVersion
from app.posters.states import PosterKind, PosterState

UPLOAD_BYTES_MAX: Final = 6 * 1024 * 1024
PIXELS_MAX: Final = 25_000_000
SIDE_MAX: Final = 3_000
WIDTH_MIN: Final = 600
QUALITY: Final = 90
BOUNDS: Final = Bounds(UPLOAD_BYTES_MAX, PIXELS_MAX, SIDE_MAX)
SUBJECT_TYPE: Final = "poster_template"
NEEDS_PAGE: Final = frozenset({PosterKind.GUEST_CARD, PosterKind.ACTIVITY})

Within = Collection[int] | None
"""The stores of the person who acts; None where they are of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PosterSpec:
    """What staff say of a template. `store_ids` None is the whole brand."""

    name: str
    kind: PosterKind
    layout: Mapping[str, Any]
    store_ids: Collection[int] | None = None
    page: str = ""
    based_on: int | None = None
    """The version that was edited; where there is a newer one by now, nothing is overwritten."""


def redraw_background(handed_in: bytes) -> Picture:
    """Draw a background anew in the size of a poster; call it outside a transaction.

    Raises `PosterInvalid`, and what `kernel.pictures.redraw` raises.
    """
    image = pictures.opened(handed_in, BOUNDS)
    if image.width < WIDTH_MIN:
        raise PosterInvalid("picture", "small")
    height = round(image.height * WIDTH / image.width)
    if not HEIGHT_MIN <= height <= HEIGHT_MAX:
        raise PosterInvalid("picture", "shape")
    return pictures.encoded(image.resize((WIDTH, height), Image.Resampling.LANCZOS), QUALITY)


def create_template(
    session: Session,
    spec: PosterSpec,
    picture: Picture,
    *,
    within: Within,
    actor: Actor,
    now: datetime,
) -> PosterTemplate:
    """Make a template with its first version, a draft. Raises `PosterInvalid`, `PosterNotYours`."""
    store_ids = _checked(spec, within)
    layout = layouts.checked(spec.layout, height=picture.height)
    row = PosterTemplate(
        name=spec.name.strip(),
        kind=spec.kind,
        state=PosterState.DRAFT,
        store_ids=store_ids,
        page=spec.page or None,
        version=1,
        created_at=now,
        changed_at=now,
    )
    session.add(row)
    session.flush()
    _add_version(session, row, layout.model_dump(), picture, actor=actor, now=now)
    _record(session, "poster_created", row, {}, actor=actor, now=now)
    return row


def revise_template(  # noqa: PLR0913 - what is edited and by whom
    session: Session,
    template_id: int,
    spec: PosterSpec,
    picture: Picture | None,
    *,
    within: Within,
    actor: Actor,
    now: datetime,
) -> PosterTemplate:
    """Change a template; another look is a new version, which shows once it is published.

    Without a picture the one before stays. Raises `PosterNotFound`, `PosterInvalid`,
    `PosterNotYours`, and `PosterStateConflict` where somebody else made a version meanwhile.
    """
    row = _locked(session, template_id, within)
    if spec.based_on is not None and spec.based_on != row.version:
        raise PosterStateConflict
    before = _facts(row)
    last = version_of(session, row.id, row.version)
    store_ids = _checked(spec, within)
    layout = layouts.checked(spec.layout, height=picture.height if picture else last.height)
    row.name, row.kind, row.page = spec.name.strip(), spec.kind, spec.page or None
    row.store_ids = store_ids
    row.changed_at = now
    drawn = picture or Picture(last.picture, WIDTH, last.height)
    if layout.model_dump() != layouts.read(last.layout).model_dump() or (
        drawn.sha256 != last.picture_sha256
    ):
        row.version += 1
        session.flush()
        _add_version(session, row, layout.model_dump(), drawn, actor=actor, now=now)
    session.flush()
    _record(session, "poster_revised", row, before, actor=actor, now=now)
    return row


def publish(
    session: Session, template_id: int, *, within: Within, actor: Actor, now: datetime
) -> PosterTemplate:
    """Offer the newest version to distributors. Raises `PosterStateConflict` where it is already.

    A retired template comes back this way.
    """
    row = _locked(session, template_id, within)
    if row.state is PosterState.PUBLISHED and row.published_version == row.version:
        raise PosterStateConflict
    before = _facts(row)
    row.published_version, row.state, row.changed_at = row.version, PosterState.PUBLISHED, now
    session.flush()
    _record(session, "poster_published", row, before, actor=actor, now=now)
    return row


def retire(
    session: Session, template_id: int, *, within: Within, actor: Actor, now: datetime
) -> PosterTemplate:
    """Offer a template to nobody any more. Posters that people saved keep working."""
    row = _locked(session, template_id, within)
    if row.state is not PosterState.PUBLISHED:
        raise PosterStateConflict
    before = _facts(row)
    row.state, row.changed_at = PosterState.RETIRED, now
    session.flush()
    _record(session, "poster_retired", row, before, actor=actor, now=now)
    return row


def version_of(session: Session, template_id: int, version: int) -> PosterVersion:
    """Return one version of a template with its picture. Raises `PosterNotFound`."""
    row = session.scalar(
        sa.select(PosterVersion)
        .options(undefer(PosterVersion.picture))
        .where(PosterVersion.template_id == template_id, PosterVersion.version == version)
    )
    if row is None:
        raise PosterNotFound
    return row


def may_change(row: PosterTemplate, within: Within) -> bool:
    """Tell whether a person of these stores may change a template: all its stores are theirs."""
    if within is None:
        return True
    return row.store_ids is not None and set(row.store_ids) <= set(within)


def _locked(session: Session, template_id: int, within: Within) -> PosterTemplate:
    row = session.get(PosterTemplate, template_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise PosterNotFound
    if not may_change(row, within):
        raise PosterNotYours
    return row


def _checked(spec: PosterSpec, within: Within) -> list[int] | None:
    """Return the stores of a template, or raise what is wrong with what was said of it."""
    name = spec.name.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX or has_controls(name):
        raise PosterInvalid("name", "name")
    has_page = len(spec.page) <= PAGE_LENGTH_MAX and PAGE.fullmatch(spec.page) is not None
    if not has_page and (spec.page or spec.kind in NEEDS_PAGE):
        raise PosterInvalid("page", "page")
    if spec.store_ids is None:
        if within is not None:
            raise PosterNotYours
        return None
    if not spec.store_ids:
        raise PosterInvalid("store_ids", "stores")
    if within is not None and not set(spec.store_ids) <= set(within):
        raise PosterNotYours
    return sorted(set(spec.store_ids))


def _add_version(
    session: Session,
    row: PosterTemplate,
    layout: Mapping[str, Any],
    picture: Picture,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    session.add(
        PosterVersion(
            template_id=row.id,
            version=row.version,
            layout=dict(layout),
            height=picture.height,
            picture=picture.content,
            picture_sha256=picture.sha256,
            created_by=str(actor),
            created_at=now,
        )
    )
    session.flush()


def _facts(row: PosterTemplate) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": row.kind.value,
        "state": row.state.value,
        "store_ids": row.store_ids,
        "page": row.page,
        "version": row.version,
        "published_version": row.published_version,
    }


def _record(
    session: Session,
    action: str,
    row: PosterTemplate,
    before: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Write what changed; a template of a single store is that store's."""
    stores = row.store_ids or []
    subject = Subject(SUBJECT_TYPE, row.id, stores[0] if len(stores) == 1 else None)
    after = _facts(row)
    changed = {name for name, value in after.items() if before.get(name) != value}
    change = Change(
        {name: value for name, value in before.items() if name in changed},
        {name: value for name, value in after.items() if name in changed},
    )
    audit.record(session, actor, action, subject, change, now=now)

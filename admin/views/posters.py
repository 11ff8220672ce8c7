"""Posters: the templates, their form with a live preview, and posters of a distributor's codes."""

import base64
from collections.abc import Iterable
from io import BytesIO
from typing import ClassVar, Final

import sqlalchemy as sa
from flask import abort, current_app, jsonify, request
from flask_admin import expose
from flask_babel import lazy_gettext as _
from PIL import Image
from werkzeug.wrappers import Response

from admin import staff
from admin.actions import joined
from admin.base import ScopedView
from admin.cells import Who
from admin.decisions import Act, Decision
from admin.details import Section, rows_section
from admin.filters import Choice
from admin.form_pages import FormPage
from admin.i18n import gettext, ngettext, say_error
from admin.poster_forms import BLANK_HEIGHT, PosterForm, begin, begin_new, explain
from admin.scopes import touching_stores
from admin.tables import Shape
from app.access import settings
from app.kernel import pictures
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.pictures import MEDIA_TYPE
from app.posters import layout as layouts
from app.posters import rendering, services
from app.posters.drawing import Facts, Ground, draw
from app.posters.errors import PosterInvalid, PosterNotFound
from app.posters.layout import WIDTH
from app.posters.models import PosterTemplate, PosterVersion
from app.posters.qr import qr_image
from app.posters.rendering import Wish
from app.posters.states import PosterKind, PosterLanguage, PosterState
from app.stores.permissions import Permission

EDIT: Final = Permission.POSTERS_EDIT
FORM_BYTES_MAX: Final = services.UPLOAD_BYTES_MAX + 262_144
SAMPLE_NAMES: Final = {PosterLanguage.ZH: "小美", PosterLanguage.EN: "Lan"}
SAMPLE_PRODUCTS: Final = {
    PosterLanguage.ZH: "面部深层护理 60 分钟",
    PosterLanguage.EN: "Deep facial care",
}
SAMPLE_PRICE_FEN: Final = 19_900
SAMPLE_CODE: Final = "0" * 22
BLANK: Final = "#efe7e4"
VERSIONS: Final = Shape(
    ("version", "created_at", "actor"), computed={"actor": lambda row: Who(row.created_by)}
)


def _stores(row: PosterTemplate) -> str:
    if row.store_ids is None:
        return gettext("All stores")
    return ngettext("%(num)d store", "%(num)d stores", len(row.store_ids))


def _picture(form: PosterForm) -> pictures.Picture | None:
    handed_in = form.handed_in()
    return services.redraw_background(handed_in) if handed_in else None


def _create(_row: None, act: Act) -> str:
    spec, picture = act.form.spec(), _picture(act.form)
    if picture is None:
        raise PosterInvalid("picture", "value")
    within = staff.visible_store_ids()
    row = joined(
        services.create_template, spec, picture, within=within, actor=act.actor, now=act.now
    )
    return str(row.id)


def _revise(row: PosterTemplate, act: Act) -> str:
    key, spec, picture = row.id, act.form.spec(), _picture(act.form)
    within = staff.visible_store_ids()
    joined(
        services.revise_template,
        key,
        spec,
        picture,
        within=within,
        actor=act.actor,
        now=act.now,
    )
    return str(key)


def _publish(key: int, act: Act) -> None:
    within = staff.visible_store_ids()
    joined(services.publish, key, within=within, actor=act.actor, now=act.now)


def _retire(key: int, act: Act) -> None:
    within = staff.visible_store_ids()
    joined(services.retire, key, within=within, actor=act.actor, now=act.now)


def _is_mine(row: PosterTemplate) -> bool:
    return services.may_change(row, staff.visible_store_ids())


def _can_be_published(row: PosterTemplate) -> bool:
    is_newest = row.state is PosterState.PUBLISHED and row.published_version == row.version
    return _is_mine(row) and not is_newest


class PostersView(ScopedView):
    """What posters distributors can share."""

    permission = Permission.POSTERS_VIEW
    scope = touching_stores(PosterTemplate.store_ids)
    icon = "image"
    intro = _(
        "Pictures that distributors share with their own code on them. What is edited shows once"
        " it is published."
    )

    column_list = ("name", "id", "kind", "state", "store_ids", "version", "published_version")
    extra_columns = ("page", "changed_at")
    computed: ClassVar = {"store_ids": _stores}
    searched = (PosterTemplate.name,)
    search_hint = _("Name or no.")
    sortable = ("name", "changed_at")
    tabs = Choice("state", _("State"), PosterTemplate.state, PosterState)
    filters = (Choice("kind", _("Kind"), PosterTemplate.kind, PosterKind),)
    facts = ("kind", "store_ids", "page", "version", "published_version", "created_at")
    badge = "state"
    details_template = "backoffice/poster.html"
    takes_files: ClassVar = {"preview_view": (EDIT, FORM_BYTES_MAX)}
    """Routes beside forms that may be sent files: by whom, and how much."""
    form_pages = (
        FormPage(
            name="new",
            label=_("New poster"),
            button=_("Save"),
            title=_("Set up a poster"),
            permission=EDIT,
            form=PosterForm,
            begin=lambda _row: begin_new(),
            run=_create,
            explain=explain,
            done=_("The poster was set up. Publish it when it is ready."),
            template="backoffice/poster_form.html",
            has_files=True,
            bytes_max=FORM_BYTES_MAX,
            is_primary=True,
        ),
        FormPage(
            name="edit",
            label=_("Edit"),
            button=_("Save"),
            title=_("Edit this poster"),
            permission=EDIT,
            form=PosterForm,
            run=_revise,
            begin=lambda row: begin(row, _version(row)),
            is_guarded=False,
            explain=explain,
            is_about_row=True,
            possible=_is_mine,
            done=_("The poster was saved. Publish it to show it."),
            template="backoffice/poster_form.html",
            has_files=True,
            bytes_max=FORM_BYTES_MAX,
        ),
    )
    decisions = (
        Decision(
            name="publish",
            label=_("Publish"),
            permission=EDIT,
            question=_("Offer the newest version of these posters to distributors?"),
            warning=_("Posters that are drawn from now on look like this."),
            run=_publish,
            possible=_can_be_published,
            is_primary=True,
        ),
        Decision(
            name="retire",
            label=_("Retire"),
            permission=EDIT,
            question=_("Offer these posters to nobody any more?"),
            warning=_("Posters that people saved keep working; their codes do not change."),
            run=_retire,
            possible=lambda row: row.state is PosterState.PUBLISHED and _is_mine(row),
            is_danger=True,
        ),
    )

    def title_of(self, row: PosterTemplate) -> str:
        """Return the name."""
        return str(row.name)

    def sections(self, row: PosterTemplate) -> Iterable[Section | None]:
        """Show every version there was."""
        versions = db.session.scalars(
            sa.select(PosterVersion)
            .where(PosterVersion.template_id == row.id)
            .order_by(PosterVersion.version.desc())
        ).all()
        yield rows_section(_("Versions"), versions, VERSIONS)

    def languages(self) -> list[str]:
        """Return the languages a poster is shown in."""
        return [one.value for one in PosterLanguage]

    @expose("/picture/")
    def picture_view(self) -> Response:
        """Send a template as it looks with somebody's name."""
        row = self.wanted()
        language = _language(request.args.get("language", ""))
        found = _version(row)
        ground = Ground(found.picture_sha256, lambda: found.picture)
        drawn = _sample(layouts.read(found.layout), ground, language)
        return Response(drawn, mimetype=MEDIA_TYPE)

    @expose("/preview/", methods=("POST",))
    def preview_view(self) -> Response:
        """Draw what the form holds, without keeping anything of it."""
        if not staff.may(EDIT):
            abort(403)
        key = request.values.get("id", "")
        row = self.get_one(key)
        if key and row is None:
            abort(404)
        form = PosterForm()
        try:
            ground, height = _ground(row, form)
            layout = layouts.checked(form.layout(), height=height)
            drawn = _sample(layout, ground, _language(request.form.get("language", "")))
        except DomainError as error:
            return jsonify({"problem": say_error(error)})
        return jsonify({"picture": f"data:{MEDIA_TYPE};base64,{base64.b64encode(drawn).decode()}"})

    @expose("/of-code/")
    def of_code_view(self) -> Response:
        """Send the poster of a share code that the person here may see."""
        codes = current_app.extensions["backoffice"]["share_codes"]
        if not codes.is_accessible():
            abort(403)
        code = codes.get_one(request.args.get("id", ""))
        if code is None or code.revoked_at is not None:
            abort(404)
        try:
            wanted = rendering.plan(db.session(), code, Wish())
        except PosterNotFound:
            abort(404)
        return Response(rendering.render(wanted, settings()), mimetype=MEDIA_TYPE)


def _version(row: PosterTemplate) -> PosterVersion:
    return services.version_of(db.session(), row.id, row.version)


def _language(text: str) -> PosterLanguage:
    return PosterLanguage.EN if text == PosterLanguage.EN else PosterLanguage.ZH


def _ground(row: PosterTemplate | None, form: PosterForm) -> tuple[Ground, int]:
    """Return the background that a form means: the one handed in, the one before, or none yet."""
    picture = _picture(form)
    if picture is None and row is not None:
        found = _version(row)
        return Ground(found.picture_sha256, lambda: found.picture), found.height
    if picture is None:
        blank = BytesIO()
        Image.new("RGB", (WIDTH, BLANK_HEIGHT), BLANK).save(blank, "JPEG")
        picture = pictures.Picture(blank.getvalue(), WIDTH, BLANK_HEIGHT)
    content = picture.content
    return Ground(picture.sha256, lambda: content), picture.height


def _sample(layout: layouts.Layout, ground: Ground, language: PosterLanguage) -> bytes:
    """Draw a poster as somebody's would look."""
    link = f"{settings().public_base_url.rstrip('/')}/s/{SAMPLE_CODE}"
    facts = Facts(
        language=language,
        nickname=SAMPLE_NAMES[language],
        product=SAMPLE_PRODUCTS[language],
        price_fen=SAMPLE_PRICE_FEN,
    )
    return draw(layout, ground, facts, qr_image(link, layout.code.side * WIDTH // 1000))

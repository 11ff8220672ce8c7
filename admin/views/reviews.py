"""Reviews: what customers think, to be answered, shown, or hidden with a reason."""

from collections.abc import Iterable
from typing import Any, ClassVar

from flask import abort, make_response, request
from flask_admin import expose
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from admin.actions import by_id, joined, with_reason
from admin.base import ScopedView
from admin.decisions import Act, Decision
from admin.details import Section, sentences_section
from admin.filters import Choice, Days, Exactly, OfStore, Options
from admin.form_pages import FormPage
from admin.forms import ReasonForm
from admin.i18n import gettext
from admin.scopes import by_store
from admin.urls import as_id
from app.interactions import reviews
from app.interactions.review_models import REPLY_LENGTH_MAX, Review
from app.interactions.states import ReviewState
from app.kernel.db import db
from app.kernel.pictures import MEDIA_TYPE
from app.stores.permissions import Permission


class ReplyForm(FlaskForm):
    """What everybody reads below the review."""

    text = TextAreaField(_("Reply"), validators=[InputRequired(), Length(max=REPLY_LENGTH_MAX)])


def _reply(row: Review, act: Act) -> str:
    text = act.form.text.data
    joined(reviews.reply, row.id, text=text, actor=act.actor, now=act.now)
    return str(row.id)


class ReviewsView(ScopedView):
    """What customers wrote about what they received."""

    permission = Permission.REVIEWS_VIEW
    scope = by_store(Review.store_id)
    icon = "star"
    intro = _(
        "What customers think of what they received. Bad ones are not deleted: hiding one needs a"
        " reason, which stays on record."
    )

    column_list = ("stars", "text", "product_id", "store_id", "member_id", "state", "written_at")
    labels: ClassVar = {"text": lazy_pgettext("review", "Review")}
    computed: ClassVar = {"stars": lambda row: f"★ {row.stars}"}
    tabs = Choice("state", _("State"), Review.state, ReviewState)
    filters = (
        OfStore("store", _("Store"), Review.store_id),
        Exactly("product", _("Product no."), Review.product_id, is_id=True),
        Exactly("member", _("Customer no."), Review.member_id, is_id=True),
        Options(
            "stars",
            _("Stars"),
            {
                "bad": (_("One or two"), lambda: Review.stars <= 2),  # noqa: PLR2004 - of five
                "good": (_("Four or five"), lambda: Review.stars >= 4),  # noqa: PLR2004 - of five
            },
        ),
        Options(
            "reply",
            _("Reply"),
            {"none": (_("Not replied to"), lambda: Review.replied_at.is_(None))},
        ),
        Days("written", _("Written at"), Review.written_at),
    )
    facts = (
        "stars",
        "product_id",
        "store_id",
        "order_id",
        "member_id",
        "is_anonymous",
        "written_at",
        "edited_at",
        "replied_at",
        "replied_by_id",
        "hidden_reason",
    )
    badge = "state"
    form_pages = (
        FormPage(
            name="reply",
            label=_("Reply"),
            title=_("Reply to this review"),
            intro=_("Everybody can read it below the review."),
            permission=Permission.REVIEWS_DECIDE,
            form=ReplyForm,
            is_about_row=True,
            begin=lambda row: {"text": row.reply},
            run=_reply,
            done=_("Your reply stands below the review."),
            is_primary=True,
        ),
    )
    decisions = (
        Decision(
            name="show",
            label=lazy_pgettext("review", "Show"),
            permission=Permission.REVIEWS_DECIDE,
            question=_("Let everybody see these reviews?"),
            run=by_id(reviews.show),
            possible=lambda row: row.state is not ReviewState.SHOWN,
        ),
        Decision(
            name="hide",
            label=lazy_pgettext("review", "Hide"),
            permission=Permission.REVIEWS_DECIDE,
            question=_("Hide these reviews?"),
            warning=_("A bad opinion alone is no reason; insults and personal data are."),
            run=with_reason(reviews.hide),
            form=ReasonForm,
            possible=lambda row: row.state is not ReviewState.HIDDEN,
            is_danger=True,
        ),
    )

    def title_of(self, row: Review) -> str:
        """Return what it is and its number."""
        return gettext("Review %(id)s", id=row.id)

    def sections(self, row: Review) -> Iterable[Section | None]:
        """Show the words of both sides and the pictures."""
        if row.text:
            yield sentences_section(lazy_pgettext("review", "Review"), row.text.split("\n"))
        if row.reply:
            yield sentences_section(_("Reply"), row.reply.split("\n"))
        pictures = reviews.pictures_of(db.session(), [row.id])[row.id]
        if pictures:
            shown: list[Any] = [
                {
                    "url": self.get_url(".picture_view", id=row.id, picture=one),
                    "place": number,
                }
                for number, one in enumerate(pictures, 1)
            ]
            yield Section(
                _("Pictures"), "pictures", template="backoffice/review_pictures.html", facts=shown
            )

    @expose("/picture/")
    def picture_view(self) -> Response:
        """Send a picture to those who see its review."""
        row = self.wanted()
        picture_id = as_id(request.args.get("picture", ""))
        if picture_id not in reviews.pictures_of(db.session(), [row.id])[row.id]:
            abort(404)
        assert picture_id is not None, "it is one of the review's"
        response = make_response(reviews.picture(db.session(), picture_id, viewer_id=None))
        response.mimetype = MEDIA_TYPE
        response.headers["Cache-Control"] = "private, no-store"
        return response

"""Products, and what each store has of them."""

from collections.abc import Iterable
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.sql import Select
from wtforms import BooleanField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from admin import listing
from admin.actions import joined
from admin.base import ScopedView
from admin.decisions import Act
from admin.details import Section
from admin.filters import Choice, Days, Exactly, OfStore, Options
from admin.form_pages import FormPage
from admin.forms import CountField, YuanField
from admin.i18n import gettext, locale
from admin.labels import label_of
from admin.scopes import by_store, everybody
from admin.views.attribution import visible_stores
from admin.views.low_stock import LOW_PRODUCTS, LOW_STOCK
from app.catalog import services
from app.catalog.errors import ProductInvalid
from app.catalog.models import Product, ProductKind, StockLevel, StockMove, StockMovement
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.i18n import ENGLISH
from app.stores.permissions import Permission

FEW = 5
ASKED = (
    "title",
    "title_en",
    "description",
    "price_fen",
    "list_price_fen",
    "is_published",
    "is_distributable",
    "is_refundable",
    "is_medical",
)
"""What the form about a product begins with, besides its kind."""


class ProductForm(FlaskForm):
    """What staff say of a product."""

    title = StringField(_("Title"), validators=[InputRequired(), Length(max=80)])
    title_en = StringField(_("English title"), validators=[Length(max=80)])
    kind = SelectField(_("Kind"), description=_("Cannot be changed later."))
    price_fen = YuanField(_("Price"), validators=[InputRequired()])
    list_price_fen = YuanField(
        _("List price"), validators=[InputRequired()], description=_("Shown crossed out.")
    )
    description = TextAreaField(_("Description"), validators=[Length(max=2000)])
    is_published = BooleanField(_("On sale"))
    is_distributable = BooleanField(_("Earns commission"), default=True)
    is_refundable = BooleanField(
        _("Can be returned"),
        default=True,
        description=_("What cannot be returned must not earn commission."),
    )
    is_medical = BooleanField(
        _("Medical aesthetics"),
        description=_("Advertising it, and paying for referrals to it, is under special rules."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the kinds there are."""
        super().__init__(*args, **kwargs)
        self.kind.choices = [(one.value, label_of(one)) for one in ProductKind]

    def spec(self) -> services.ProductSpec:
        """Return what was filled in as the service takes it."""
        return services.ProductSpec(
            kind=ProductKind(self.kind.data),
            title=self.title.data.strip(),
            title_en=(self.title_en.data or "").strip(),
            description=(self.description.data or "").strip(),
            price_fen=self.price_fen.data or 0,
            list_price_fen=self.list_price_fen.data or 0,
            is_published=self.is_published.data,
            is_distributable=self.is_distributable.data,
            is_refundable=self.is_refundable.data,
            is_medical=self.is_medical.data,
        )


class StoreForm(FlaskForm):
    """A form about stock in one of the reader's stores."""

    store_id = SelectField(_("Store"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the stores of the person who fills it in."""
        super().__init__(*args, **kwargs)
        self.store_id.choices = visible_stores()


class ReceiveForm(StoreForm):
    """How many pieces arrived."""

    quantity = CountField(_("Pieces received"))


class CountForm(StoreForm):
    """How many pieces people found."""

    counted = IntegerField(
        _("Pieces counted"),
        validators=[InputRequired(), NumberRange(0, 999_999)],
        description=_("Everything on the shelf, promised pieces included."),
    )
    reason = StringField(_("Reason"), validators=[InputRequired(), Length(max=200)])


def _put(row: Product | None, act: Act) -> str:
    key = row.id if row is not None else None
    product = joined(
        services.put_product, act.form.spec(), product_id=key, actor=act.actor, now=act.now
    )
    return str(product.id)


def _begin(row: Product) -> dict[str, Any]:
    return {**{name: getattr(row, name) for name in ASKED}, "kind": row.kind.value}


def _explain(error: DomainError, form: Any) -> bool:
    if not isinstance(error, ProductInvalid) or error.field not in form:
        return False
    texts = {"list_price_fen": gettext("The list price cannot be below the price.")}
    form[error.field].errors = [texts.get(error.field, gettext("This is not allowed."))]
    return True


def _receive(row: Product, act: Act) -> str:
    joined(
        services.receive_stock,
        product_id=row.id,
        store_id=int(act.form.store_id.data),
        quantity=act.form.quantity.data,
        actor=act.actor,
        now=act.now,
    )
    return str(row.id)


def _count(row: Product, act: Act) -> str:
    form = act.form
    count = services.StockCount(
        product_id=row.id,
        store_id=int(form.store_id.data),
        counted=form.counted.data,
        reason=form.reason.data.strip(),
    )
    joined(services.count_stock, count, actor=act.actor, now=act.now)
    return str(row.id)


def _is_goods(row: Product) -> bool:
    return row.kind is ProductKind.GOODS


def _sellable(row: StockLevel) -> int:
    return row.on_hand - row.reserved


class ProductsView(ScopedView):
    """What customers can buy."""

    permission = Permission.CATALOG_VIEW
    scope = everybody
    icon = "package"
    intro = _("Goods and services. Orders copy what they need, so changes never touch old orders.")

    column_list = (
        "title",
        "kind",
        "price_fen",
        "list_price_fen",
        "is_published",
        "is_distributable",
    )
    searched = (Product.title, Product.title_en)
    search_hint = _("Title or no.")
    sortable = ("title", "price_fen")
    filters = (
        Choice("kind", _("Kind"), Product.kind, ProductKind),
        Options(
            "sale",
            _("On sale"),
            {
                "yes": (_("Yes"), lambda: Product.is_published.is_(True)),
                "no": (_("No"), lambda: Product.is_published.is_(False)),
            },
        ),
    )
    facts = (
        "kind",
        "title_en",
        "price_fen",
        "list_price_fen",
        "is_published",
        "is_distributable",
        "is_refundable",
        "is_medical",
        "created_at",
        "description",
    )
    form_pages = (
        FormPage(
            name="new",
            label=_("New product"),
            button=_("Save"),
            title=_("Add a product"),
            permission=Permission.CATALOG_EDIT,
            form=ProductForm,
            run=_put,
            explain=_explain,
            done=_("The product was added."),
            is_primary=True,
        ),
        FormPage(
            name="edit",
            label=_("Edit"),
            button=_("Save"),
            title=_("Edit this product"),
            permission=Permission.CATALOG_EDIT,
            form=ProductForm,
            run=_put,
            begin=_begin,
            explain=_explain,
            is_about_row=True,
            done=_("The product was saved."),
        ),
        FormPage(
            name="receive",
            label=_("Receive stock"),
            title=_("Put newly arrived goods on the shelf"),
            permission=Permission.STOCK_EDIT,
            form=ReceiveForm,
            run=_receive,
            is_about_row=True,
            possible=_is_goods,
            done=_("The stock was received."),
            is_primary=True,
        ),
        FormPage(
            name="count",
            label=_("Count stock"),
            title=_("Set stock to what people counted"),
            permission=Permission.STOCK_EDIT,
            form=CountForm,
            run=_count,
            is_about_row=True,
            possible=_is_goods,
            done=_("The count was recorded."),
        ),
    )

    def title_of(self, row: Product) -> str:
        """Return the title in the reader's language."""
        return row.title_en or row.title if locale() == ENGLISH else row.title

    def sections(self, row: Product) -> Iterable[Section | None]:
        """Show what each of the reader's stores has, and how that came about."""
        if not _is_goods(row):
            return
        yield self.related("stock", StockLevel.product_id == row.id, without=("product_id",))
        yield self.related(
            "stock_movements",
            StockMovement.product_id == row.id,
            without=("product_id",),
            product=row.id,
        )


class StockView(ScopedView):
    """What each store has of each product."""

    permission = Permission.STOCK_VIEW
    scope = by_store(StockLevel.store_id)
    icon = "boxes"
    intro = _("What is on the shelf, and what of it is promised to orders that wait for payment.")
    can_view_details = False

    column_list = ("product_id", "store_id", "on_hand", "reserved", "sellable", "low_at")
    computed: ClassVar = {"sellable": _sellable}
    lookups = (LOW_PRODUCTS,)
    form_pages = (LOW_STOCK,)
    filters = (
        OfStore("store", _("Store"), StockLevel.store_id),
        Options(
            "left",
            _("Sellable"),
            {
                "none": (_("None left"), lambda: StockLevel.on_hand == StockLevel.reserved),
                "few": (
                    _("Five or fewer"),
                    lambda: StockLevel.on_hand - StockLevel.reserved <= FEW,
                ),
                "low": (
                    _("Time to order more"),
                    lambda: StockLevel.on_hand - StockLevel.reserved <= StockLevel.low_at,
                ),
            },
        ),
    )

    @property
    def key(self) -> Any:
        """Return the product: together with the store it tells rows apart."""
        return StockLevel.product_id

    def page_of(self, query: Select[Any], wish: listing.Request) -> listing.Page:
        """Return a page by product and store."""
        order = (StockLevel.product_id, StockLevel.store_id)
        return listing.by_place(db.session(), query, order, wish, descending=False)


class StockMovementsView(ScopedView):
    """Every change of stock."""

    permission = Permission.STOCK_VIEW
    scope = by_store(StockMovement.store_id)
    icon = "arrow-left-right"
    intro = _("Every change of stock and why. Never changed.")
    is_counted = False
    can_view_details = False

    column_list = (
        "at",
        "product_id",
        "store_id",
        "move",
        "on_hand_change",
        "reserved_change",
        "order_id",
        "actor",
        "reason",
    )
    filters = (
        Choice("move", _("Movement"), StockMovement.move, StockMove),
        OfStore("store", _("Store"), StockMovement.store_id),
        Exactly("product", _("Product no."), StockMovement.product_id, is_id=True),
        Days("at", _("Time"), StockMovement.at),
    )

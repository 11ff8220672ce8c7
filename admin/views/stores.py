"""Stores."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from admin.actions import joined
from admin.base import ScopedView
from admin.decisions import Act
from admin.details import Section
from admin.form_pages import FormPage
from admin.scopes import by_store
from app.kernel.db import db
from app.stores import places
from app.stores.models import Region, Staff, Store
from app.stores.permissions import Permission


class StoreForm(FlaskForm):
    """A new store."""

    name = StringField(_("Name"), validators=[InputRequired(), Length(max=60)])
    address = StringField(_("Address"), validators=[Length(max=200)])
    region_id = SelectField(_("Region"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the regions there are."""
        super().__init__(*args, **kwargs)
        rows = db.session.execute(sa.select(Region.id, Region.name).order_by(Region.name))
        self.region_id.choices = [("", "–"), *((str(row.id), row.name) for row in rows)]


def _create_store(_row: None, act: Act) -> None:
    form = act.form
    joined(
        places.create_store,
        places.StoreSpec(
            name=form.name.data,
            address=form.address.data or "",
            region_id=int(form.region_id.data) if form.region_id.data else None,
        ),
        actor=act.actor,
        now=act.now,
    )


class StoresView(ScopedView):
    """Shops of the chain."""

    permission = Permission.STORES_VIEW
    scope = by_store(Store.id)
    icon = "store"
    intro = _("The shops of the chain. Staff see the rows of their own shops only.")

    column_list = ("name", "region_id", "address", "state", "created_at")
    searched = (Store.name, Store.address)
    facts = ("region_id", "address", "state", "created_at")
    form_pages = (
        FormPage(
            name="new",
            label=_("Open a store"),
            title=_("Open a store"),
            permission=Permission.STORES_EDIT,
            form=StoreForm,
            run=_create_store,
            done=_("The store was opened."),
            is_primary=True,
        ),
    )

    def sections(self, row: Store) -> Iterable[Section | None]:
        """Show who works here."""
        yield self.related("staff", Staff.stores.any(Store.id == row.id), title=_("Staff"))

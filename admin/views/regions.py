"""Regions: groups of stores, and where staff of a region may act."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.orm import selectinload
from sqlalchemy.sql import Select
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from admin import staff
from admin.actions import joined
from admin.base import ScopedView
from admin.decisions import Act
from admin.details import Section
from admin.filters import Arguments, Control
from admin.form_pages import FormPage
from admin.i18n import listed, say_error
from admin.scopes import region_of_store
from admin.store_form import region_choices
from admin.urls import as_id
from app.kernel.errors import DomainError
from app.stores import regions
from app.stores.errors import RegionNameInvalid, RegionNameTaken
from app.stores.models import Region, Store
from app.stores.permissions import Permission


@dataclass(frozen=True, slots=True)
class OfRegion:
    """One of the regions that the reader knows; no control where there is none."""

    name: str
    label: Any
    column: Any

    def controls(self, arguments: Arguments) -> list[Control]:
        """Return one select with the regions."""
        choices = region_choices()[1:]
        if not choices:
            return []
        return [Control("select", self.name, self.label, arguments.get(self.name, ""), choices)]

    def apply(self, query: Select[Any], arguments: Arguments) -> Select[Any]:
        """Keep rows of one region; the scope of the view holds anyway."""
        key = as_id(arguments.get(self.name, ""))
        return query.where(self.column == key) if key is not None else query


class RegionForm(FlaskForm):
    """What a region is called."""

    name = StringField(_("Name"), validators=[InputRequired(), Length(max=60)])


def _create(_row: None, act: Act) -> str:
    name = act.form.name.data
    return str(joined(regions.create_region, name=name, actor=act.actor, now=act.now).id)


def _rename(row: Region, act: Act) -> str:
    key, name = row.id, act.form.name.data
    joined(regions.rename_region, key, name=name, actor=act.actor, now=act.now)
    return str(key)


def _delete(row: Region, act: Act) -> None:
    joined(regions.delete_region, row.id, actor=act.actor, now=act.now)


def _explain(error: DomainError, form: Any) -> bool:
    if not isinstance(error, RegionNameInvalid | RegionNameTaken):
        return False
    form.name.errors = [say_error(error)]
    return True


def _stores(row: Region) -> str:
    """Return those of a region's stores that the reader sees."""
    visible = staff.visible_store_ids()
    return listed(one.name for one in row.stores if visible is None or one.id in visible)


class RegionsView(ScopedView):
    """Groups of stores."""

    permission = Permission.STORES_VIEW
    scope = region_of_store(Region.id)
    icon = "map-pin"
    intro = _("Groups of stores. Staff of a region act in all of its stores.")

    column_list = ("name", "stores")
    computed: ClassVar = {"stores": _stores}
    searched = (Region.name,)
    search_hint = _("Name")
    loads = (selectinload(Region.stores),)
    form_pages = (
        FormPage(
            name="new",
            label=_("New region"),
            button=_("Save"),
            title=_("Add a region"),
            permission=Permission.REGIONS_EDIT,
            form=RegionForm,
            run=_create,
            explain=_explain,
            done=_("The region was added."),
            is_primary=True,
        ),
        FormPage(
            name="rename",
            label=_("Rename"),
            button=_("Save"),
            title=_("Rename this region"),
            permission=Permission.REGIONS_EDIT,
            form=RegionForm,
            begin=lambda row: {"name": row.name},
            run=_rename,
            explain=_explain,
            is_about_row=True,
            done=_("The region was renamed."),
        ),
        FormPage(
            name="delete",
            label=_("Delete"),
            title=_("Delete this region"),
            intro=_("Only a region that no store and no staff belong to can be deleted."),
            permission=Permission.REGIONS_EDIT,
            run=_delete,
            is_about_row=True,
            possible=lambda row: not row.stores,
            done=_("The region was deleted."),
        ),
    )

    def sections(self, row: Region) -> Iterable[Section | None]:
        """Show the stores of the region that the reader sees."""
        yield self.related(
            "stores", Store.region_id == row.id, without=("region_id",), region=row.id
        )

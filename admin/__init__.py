"""The back office: what staff see, decide and answer for. A front end over `app`, like the API."""

from flask import Flask
from flask_admin import Admin
from flask_babel import lazy_gettext as _

from admin import headers, i18n, imports_forms, list_settings, shell, sign_in, tracing, uploads
from admin.account import AccountView
from admin.dashboard import TodayView
from admin.dashboards.between_stores import BetweenStoresView
from admin.dashboards.cards import CardFiguresView
from admin.dashboards.pages import FiguresView, HelpView
from admin.navigation import CARDS
from admin.registry import views
from admin.staff_mode import StaffModeView
from app.settings import Settings


def init_app(app: Flask) -> None:
    """Mount the back office below `/admin`."""
    configuration: Settings = app.extensions["settings"]
    tracing.init_app(app)
    i18n.init_app(app)
    shell.init_app(app)  # before sign-in, so that our templates are found before its own
    sign_in.init_app(app, configuration)
    headers.init_app(app)
    uploads.init_app(app)
    imports_forms.init_app(app)
    list_settings.init_app(app)
    today = TodayView(name=_("Today"), endpoint="admin", url="/admin")
    today.static_folder = str(shell.STATIC)
    admin = Admin(app, name="Tuoke", index_view=today)
    app.extensions["backoffice"] = {}
    for view in views():
        app.extensions["backoffice"][view.endpoint] = view
        admin.add_view(view)
    for page, name, endpoint in (
        (CardFiguresView, _("What cards bring"), "card_figures"),
        (BetweenStoresView, _("Cards between stores"), "between_stores"),
    ):
        url = endpoint.replace("_", "-")
        admin.add_view(page(name=name, endpoint=endpoint, url=url, category=CARDS))
    admin.add_view(FiguresView(name=_("Figures"), endpoint="figures", url="figures"))
    admin.add_view(HelpView(name=_("Help"), endpoint="help", url="help"))
    admin.add_view(StaffModeView(name=_("Staff mode"), endpoint="staff_mode", url="staff-mode"))
    admin.add_view(AccountView(name=_("My account"), endpoint="account", url="account"))

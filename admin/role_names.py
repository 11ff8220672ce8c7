"""What roles are called."""

from admin.i18n import gettext, pgettext


def role_name(name: str) -> str:
    """Return what people call a role."""
    names = {
        "owner": pgettext("role", "Owner"),
        "operations": gettext("Operations"),
        "finance": gettext("Finance"),
        "store_manager": gettext("Store manager"),
        "front_desk": gettext("Front desk"),
        "auditor": gettext("Auditor"),
    }
    return names.get(name, name)

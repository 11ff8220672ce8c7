"""How people are shown: by nickname, with a phone number that cannot be called."""

from typing import Any

from markupsafe import Markup

from admin.cells import Badge
from admin.i18n import gettext
from app.kernel.secrecy import mask_phone, vault
from app.members.models import Distributor, Member

CHINA = "+86"
MOBILE_DIGITS = 11


def name_of(member: Member) -> str:
    """Return what a member is called, also one who never gave a name."""
    if member.deleted_at is not None:
        return gettext("Deleted customer %(id)s", id=member.id)
    return member.nickname or gettext("Customer %(id)s", id=member.id)


def masked_phone(member: Member) -> str | None:
    """Return a phone number as everybody may see it: 138****0001."""
    if member.phone_sealed is None:
        return None
    return mask_phone(vault().open(member.phone_sealed).removeprefix(CHINA))


def phone_hash(text: str) -> str | None:
    """Return the look-up hash of what looks like a whole phone number, else None."""
    digits = text.replace(" ", "").replace("-", "").removeprefix(CHINA)
    if not (digits.isascii() and digits.isdigit() and len(digits) == MOBILE_DIGITS):
        return None
    return vault().look_up("phone", f"{CHINA}{digits}")


def distributor_name(distributor: Distributor) -> str:
    """Return what a distributor is called."""
    return name_of(distributor.member)


def yes_no(is_so: Any) -> Badge:
    """Return a word for a fact that holds or not."""
    return Badge(gettext("Yes"), "good") if is_so else Badge(gettext("No"), "calm")


def level_name(level: int) -> Markup:
    """Return a level as a page shows it."""
    return Markup('<span class="badge calm">{}</span>').format(
        gettext("Level %(level)s", level=level)
    )

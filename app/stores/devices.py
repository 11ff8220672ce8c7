"""What a browser and an address tell, cut down to what lets people recognise their own. Pure."""

import ipaddress
from typing import Final

BROWSERS: Final = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
"""Marks in a user agent, the more particular first: nearly all call themselves Safari as well."""

SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("HarmonyOS", "HarmonyOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
V4_BITS: Final = 24
V6_BITS: Final = 48


def browser_of(user_agent: str) -> str:
    """Return browser and system in a few words; nothing of an agent that says neither.

    >>> browser_of("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0")
    'Edge · Windows'
    >>> browser_of("curl/8.0")
    ''
    """
    found = (
        next((name for mark, name in marks if mark in user_agent), "")
        for marks in (BROWSERS, SYSTEMS)
    )
    return " · ".join(filter(None, found))


def network_of(address: str) -> str:
    """Return the network of an address: enough to recognise, not enough to find a home.

    >>> network_of("203.0.113.77"), network_of("2001:db8:1:2::3"), network_of("nonsense")
    ('203.0.113.0/24', '2001:db8:1::/48', '')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None)
    if mapped is not None:
        parsed = mapped
    bits = V4_BITS if parsed.version == 4 else V6_BITS  # noqa: PLR2004 - the protocol
    return str(ipaddress.ip_network((parsed, bits), strict=False))

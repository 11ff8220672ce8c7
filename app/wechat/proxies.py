"""Which proxies of the environment apply.

Both libraries obey `http_proxy` and its kin. That is right towards WeChat and wrong towards a
sandbox on this machine, which no proxy can reach.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})
NO_PROXIES: Final[Mapping[str, None]] = {"http": None, "https": None, "all": None}
"""What `requests` takes as: none, whatever the environment says."""


def is_on_this_machine(url: str) -> bool:
    """Say whether an address is of this machine.

    >>> is_on_this_machine("http://127.0.0.1:8001"), is_on_this_machine("https://api.weixin.qq.com")
    (True, False)
    """
    return urlsplit(url).hostname in LOOPBACK_HOSTS

"""Host names under which this server accepts web requests."""

import ipaddress
import re
from collections.abc import Collection

_AUTHORITY = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\s:/?#@\[\]]+))(?::\d{1,5})?", re.IGNORECASE)


def is_own(host: str, names: Collection[str]) -> bool:
    """Whether a request's ``Host`` may be meant for this server: an address, ``localhost``, or one
    of ``names``, in lower case. Other names belong to some web site, pointed here to read what a
    visitor's browser can access (DNS rebinding)."""
    authority = _AUTHORITY.fullmatch(host)
    if authority is None:
        return False
    name = (authority[1] or authority[2]).lower()
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or name in names
    return True

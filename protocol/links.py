"""Addresses that strangers give us to pass on.

This server fetches none of them, and the vendor cannot reach the ones refused here. But a vendor that runs on this
machine could: nobody shall explore a network through it.
"""

import ipaddress
import re
from urllib.parse import urlsplit

_SCHEMES = ("http", "https", "oss")
_LOCAL_NAMES = re.compile(r"(^|\.)(localhost|local|internal|lan|home\.arpa)\.?$")
_NUMBERS = re.compile(r"(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+))*\.?")
"""Hosts like 2130706433 or 0x7f.1: old ways to write an IP address that not every checker knows."""


def is_public_link(text: str) -> bool:
    """Whether a text is an http(s):// or oss:// address outside of any private network, as far as it tells."""
    if not text.isprintable() or " " in text or "\\" in text:
        return False
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    if parts.scheme not in _SCHEMES or not host or parts.username is not None:
        return False
    return parts.scheme == "oss" or not _is_local(host)


def _is_local(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return bool(_LOCAL_NAMES.search(host) or _NUMBERS.fullmatch(host))

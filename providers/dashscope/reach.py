"""Whether the vendor can be reached at all."""

import socket
from urllib.parse import urlsplit


def reach(url: str, *, timeout_s: float) -> None:
    """Connect to the host of a URL and hang up. Raises: OSError."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme in ("https", "wss") else 80)
    socket.create_connection((parts.hostname or "", port), timeout=timeout_s).close()

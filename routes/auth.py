"""What a request shows of who sends it: its credential, where it was made, which page made it.

Source of the headers: OpenAI API reference, authentication; the OpenAI JavaScript SDK's WebSocket (subprotocol);
Fetch standard, `Origin`.
"""

import fnmatch
import ipaddress
import re
from urllib.parse import urlsplit

from flask import Request

from protocol.errors import BadInput, Forbidden
from protocol.keys import ApiKey
from services.admission.access import Access, Caller, malformed

KEY_PROTOCOL = "openai-insecure-api-key."
SUBPROTOCOLS = ("voice", "realtime")
"""What a WebSocket client may offer beside its key: one of what it offers must be chosen, or browsers hang up."""
_KEY_HEADERS = ("x-api-key", "api-key")
_PROXY_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA", "HTTP_X_FORWARDED_HOST")
_PUBLIC = frozenset(
    ("/", "/health", "/health/ready", "/openapi.json", "/docs", "/v1/audio/models", "/v1/audio/voices"),
)
_PUBLIC_FOLDERS = ("/test/", "/files/")
_PORTS = {"http": 80, "https": 443}


class Auth:
    """The doorman. Threads: any.

    `allowed_origins`: the sites whose pages may ask without a credential. `user_agents`: patterns of the programs that
    may ask at all, whatever the case of their letters; none = every program.
    """

    def __init__(
        self,
        access: Access,
        *,
        public_url: str,
        allowed_origins: tuple[str, ...],
        user_agents: tuple[str, ...] = (),
    ) -> None:
        self._access = access
        self._programs = re.compile("|".join(map(fnmatch.translate, user_agents)), re.IGNORECASE)
        self._origins = frozenset(map(_place_of, (*allowed_origins, public_url)))
        self._public_host = urlsplit(public_url).hostname or ""

    def caller_of(self, request: Request) -> Caller:
        """Return who sends a request. Raises: Unauthorized, Forbidden, BadInput."""
        if not self._programs.match(request.headers.get("User-Agent", "")):
            raise Forbidden(
                "服务器不允许这个程序访问。",
                english="This server does not serve this program: its User-Agent matches none of ALLOWED_USER_AGENTS.",
                code="ua_blocked",
            )
        if credential := credential_of(request):
            return self._access.admit_known(credential)
        return self._access.admit_anonymous(is_local=self._is_local(request), is_same_site=self._is_same_site(request))

    def _is_local(self, request: Request) -> bool:
        """Whether a request was made on this machine, for this machine.

        A proxy on this machine would make the whole world look local. It shows by the headers that proxies add and by
        HTTP/1.0, which nginx speaks to its upstreams unless told otherwise. A page of another site whose name was
        bound to this machine's address shows by the name: it is none of this machine's.
        """
        environ = request.environ
        if any(name in environ for name in _PROXY_HEADERS) or environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
            return False
        place = _place_of(f"http://{request.host}")
        is_ours = place is not None and (_is_loopback(place[1]) or place[1] == self._public_host)
        return is_ours and _is_loopback(environ.get("REMOTE_ADDR", ""))

    def _is_same_site(self, request: Request) -> bool:
        origin = request.headers.get("Origin")
        if origin is None:
            return True
        place = _place_of(origin)
        is_own = place == _place_of(f"{request.scheme}://{request.host}")
        return place is not None and (is_own or place in self._origins)


def is_public(path: str) -> bool:
    """Whether everybody may read what is there."""
    return path in _PUBLIC or path.startswith(_PUBLIC_FOLDERS)


def credential_of(request: Request) -> ApiKey | None:
    """Return the credential that a request brings, None when it brings none. Raises: Unauthorized, BadInput."""
    headers = request.headers
    if "Authorization" in headers:
        return ApiKey(_word_of(headers["Authorization"]))
    for name in _KEY_HEADERS:
        if name in headers:
            return ApiKey(_word(headers[name]))
    if "Sec-WebSocket-Protocol" in headers:
        return _offered(headers["Sec-WebSocket-Protocol"]) or _in_query(request)
    return _in_query(request)


def _word_of(authorization: str) -> str:
    """Return the key of an `Authorization` header: `Bearer KEY`, or the key alone, as some programs send it."""
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return _word(rest)
    return _word(authorization)


def _word(text: str) -> str:
    word = text.strip()
    if not word or not word.isascii() or not word.isprintable() or " " in word:
        raise malformed()
    return word


def _offered(protocols: str) -> ApiKey | None:
    """Return the key among the offered subprotocols; browsers have no other way to send one with a WebSocket."""
    offered = [word.strip() for word in protocols.split(",")]
    keys = [word.removeprefix(KEY_PROTOCOL) for word in offered if word.startswith(KEY_PROTOCOL)]
    if not keys:
        return None
    if not set(SUBPROTOCOLS) & set(offered):
        raise BadInput(
            f"除密钥外，请再提供子协议 {SUBPROTOCOLS[0]}。",
            english=f"Offer the subprotocol {SUBPROTOCOLS[0]!r} beside the one that holds the key: a server must not "
            "choose a key.",
            param="Sec-WebSocket-Protocol",
        )
    return ApiKey(_word(keys[0]))


def _in_query(request: Request) -> ApiKey | None:
    """Return the key of `?token=`, which pages need where they cannot set headers; nobody writes with it."""
    if request.method not in ("GET", "HEAD") or "token" not in request.args:
        return None
    return ApiKey(_word(request.args["token"]))


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _place_of(origin: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of an origin; None for `null` and whatever else is none."""
    try:
        parts = urlsplit(origin.lower())
        return (parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme])
    except (ValueError, KeyError):
        return None

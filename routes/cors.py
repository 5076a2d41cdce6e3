"""What browsers may do from pages of other sites: all but be somebody without a credential (`services/access.py`).

There are no cookies, so `*` gives nothing away. `Access-Control-Allow-Headers: *` would not cover `Authorization`, so
the names that the browser asks for are repeated.  Source: Fetch standard, CORS protocol.

(Written here because flask-cors takes 25 to 50 µs of every request, browser or not; this takes 1.)
"""

import re

from flask import Request, Response

_EXPOSED = ", ".join(
    "x-request-id x-dashscope-request-id x-overhead-ms server-timing openai-processing-ms openai-poll-after-ms "
    "retry-after retry-after-ms x-should-retry x-ratelimit-limit-requests x-ratelimit-remaining-requests "
    "content-disposition".split()
)
_METHODS = "GET, POST, DELETE, OPTIONS, HEAD, PUT, PATCH"
_MAX_AGE_S = 600
_HEADER_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~ ,-]{1,2048}")


def preflight(request: Request) -> Response | None:
    """Return the answer to a browser that asks what it may send, None for every other request."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    answer = Response(status=204)
    answer.headers["Access-Control-Allow-Methods"] = _METHODS
    answer.headers["Access-Control-Max-Age"] = str(_MAX_AGE_S)
    asked = request.headers.get("Access-Control-Request-Headers", "")
    if _HEADER_NAMES.fullmatch(asked):
        answer.headers["Access-Control-Allow-Headers"] = asked
    return answer


def allow(request: Request, response: Response) -> None:
    """Let a page of another site read this answer."""
    if "HTTP_ORIGIN" in request.environ:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED

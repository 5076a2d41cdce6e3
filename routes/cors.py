"""What browsers may do from pages of other sites: all but be somebody without a credential.

Who may be nobody: `services/admission/access.py`. There are no cookies, so `*` gives nothing away.
`Access-Control-Allow-Headers: *` would not cover `Authorization`, so the names that the browser asks for are repeated.
Source: Fetch standard, CORS protocol.
"""

from flask import Flask
from flask_cors import CORS

_EXPOSED = (
    "x-request-id x-dashscope-request-id x-overhead-ms server-timing openai-processing-ms openai-poll-after-ms "
    "retry-after retry-after-ms x-should-retry x-ratelimit-limit-requests x-ratelimit-remaining-requests "
    "content-disposition"
).split()
_MAX_AGE_S = 600


def register(app: Flask) -> None:
    """Let pages of other sites read every answer of this application, errors too."""
    CORS(app, send_wildcard=True, always_send=False, expose_headers=_EXPOSED, max_age=_MAX_AGE_S)

"""Headers of the vendor's that a caller with a key of the vendor's may send along.

They act on the account of the key: whose budget is used, what is inspected. So they are refused where the key is the
server's.  Source: DashScope HTTP reference §1 (workspace ids); dashscope SDK 2.0.2.
"""

import re

from flask import Request

from protocol.errors import BadInput
from services.admission.access import Caller

_RULES = {
    "X-DashScope-WorkSpace": re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"),
    "X-DashScope-DataInspection": re.compile(r"[ -~]{1,512}"),
}


def passed_on(request: Request, caller: Caller) -> dict[str, str]:
    """Return the headers that go to the vendor with a request. Raises: BadInput naming one that may not or is wrong."""
    sent = {name: value.strip() for name in _RULES if (value := request.headers.get(name, "")).strip()}
    for name, value in sent.items():
        if not caller.brings_key:
            raise BadInput(
                f"'{name}' goes with a DashScope key of your own; this server would use its own key for this request.",
                code="unsupported_parameter",
                param=name,
            )
        if not _RULES[name].fullmatch(value):
            raise BadInput(f"Invalid '{name}': this is no value that the vendor takes.", param=name)
    return sent

"""Form fields, folded into the object that the same request would be as JSON.

Clients write a list as `name`, `name[]` or `name[0]`, repeated, and an object as `name[key]`; an empty field is one
that its sender left out.  Source: the openai SDKs' multipart requests; curl users write the bare names.
"""

import re
from collections.abc import Collection, Iterable
from typing import Any

from protocol.errors import BadInput

_NAME = re.compile(r"([^\[\]]+)(?:\[([^\[\]]*)\])?")


def fold(fields: Iterable[tuple[str, str]], *, lists: Collection[str]) -> dict[str, Any]:
    """Return the fields as an object; `lists` names those that are lists. Raises: BadInput."""
    folded: dict[str, Any] = {}
    for written, value in fields:
        if not (found := _NAME.fullmatch(written)):
            raise BadInput(f"Unknown parameter: '{written[:80]}'.", code="unknown_parameter", param=written[:80])
        if value:
            _put(folded, found[1], found[2], value, lists)
    return folded


def _put(folded: dict[str, Any], name: str, key: str | None, value: str, lists: Collection[str]) -> None:
    if name in lists:
        folded.setdefault(name, []).append(value)
    elif not key:
        if folded.setdefault(name, value) != value:
            raise BadInput(f"'{name}' is given twice.", param=name)
    elif isinstance(fields := folded.setdefault(name, {}), dict):
        fields[key] = value
    else:
        raise BadInput(f"'{name}' is given twice.", param=name)

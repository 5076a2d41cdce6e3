"""The walk: every surface once, in the order in which a new user meets them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from client.check import chat, front, refusals, sound, turns
from client.check.site import Failed
from client.check.visit import Surface, Visit

SURFACES: Final = (*front.SURFACES, *chat.SURFACES, *sound.SURFACES, *turns.SURFACES, *refusals.SURFACES)
_NOT_THERE: Final = (400, 404, 405, 501)
"""How a server says that it has no such address, or that what lies there cannot do this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one surface. Times are those of its last answer, None when none came. `detail` is for people."""

    surface: str
    outcome: Literal["ok", "failed", "absent"]
    detail: str
    first_ms: float | None
    total_ms: float | None


def walk(visit: Visit) -> Iterator[Finding]:
    """Yield what each surface shows, as soon as it is known.  Raises: Failed when nobody answers at all."""
    visit.site.get("/health")
    for surface in SURFACES:
        yield _look(surface, visit)


def _look(surface: Surface, visit: Visit) -> Finding:
    try:
        return _found(surface, visit, "ok", surface.look(visit))
    except Failed as failed:
        is_absent = surface.is_optional and failed.status in _NOT_THERE
        return _found(surface, visit, "absent" if is_absent else "failed", str(failed))
    except Exception as error:  # an answer of a shape that nobody thought of is a finding, not an end of the walk
        return _found(surface, visit, "failed", f"an answer without sense: {type(error).__name__}: {error}")


def _found(surface: Surface, visit: Visit, outcome: Literal["ok", "failed", "absent"], detail: str) -> Finding:
    answer = visit.site.last
    return Finding(
        surface=surface.name,
        outcome=outcome,
        detail=detail,
        first_ms=answer.first_ms if answer else None,
        total_ms=answer.total_ms if answer else None,
    )

"""What a benchmark reports."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure beside its target. `goal` is the number of the goal that it answers, or empty."""

    goal: str
    what: str
    figure: str
    target: str
    met: bool

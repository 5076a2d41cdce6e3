"""What limits need from where things are counted: in this process, or in a place that all workers share."""

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRules:
    """0 = no limit."""

    requests_per_minute: int = 0
    streams_per_caller: int = 0
    streams: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a caller stands with its requests: how many it may make, how many are left, when more will be."""

    limit: int
    remaining: int
    retry_after_s: int
    is_allowed: bool


Full = Literal["caller", "all"]


class Counts(Protocol):
    """Where is counted. Threads: any. A count that cannot be had lets the request pass."""

    def hit(self, identity: str) -> Standing:
        """Count one request of a caller."""

    def enter(self, identity: str, ticket: str) -> Full | None:
        """Take a place under this name; says whose places are full when there is none."""

    def leave(self, identity: str, ticket: str) -> None:
        """Give the place back; harmless when it was never taken."""

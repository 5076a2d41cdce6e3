"""Who may ask, and with whose key the vendor is asked."""

from dataclasses import dataclass

from protocol.keys import ApiKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks. `key` is what the vendor is asked with; `identity` is what limits, logs and history know them by."""

    key: ApiKey
    identity: str

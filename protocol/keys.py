"""API keys as values that cannot be logged by accident."""

import hashlib


class ApiKey:
    """One caller's vendor key. Invariant: only `reveal()` ever shows it; `str`, `repr` and f-strings do not."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def reveal(self) -> str:
        """Return the secret itself; call it only where it goes on the wire."""
        return self._secret

    @property
    def fingerprint(self) -> str:
        """Return the first 8 hex digits of the key's SHA-256: what logs and history may hold."""
        return digest(self._secret)[:8]

    def __repr__(self) -> str:
        return f"ApiKey({self.fingerprint})" if self._secret else "ApiKey(empty)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._secret)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiKey) and other._secret == self._secret

    def __hash__(self) -> int:
        return hash(self._secret)


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret as 64 hex digits: enough to know it again, useless to whoever reads it."""
    return hashlib.sha256(secret.encode()).hexdigest()

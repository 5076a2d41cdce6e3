"""`GET /health`: is the process alive. Says nothing that a stranger may not know."""

from datetime import UTC, datetime

from flask import Blueprint

from services.access import Access

_SERVICE = "voice-backend"


def blueprint(access: Access) -> Blueprint:
    """Return the routes, joined to their parts."""
    door = Blueprint("health", __name__)

    @door.get("/health")
    def health() -> dict[str, object]:
        now = datetime.now(UTC)
        return {
            "status": "healthy",
            "timestamp": now.astimezone().isoformat(timespec="microseconds"),
            "time_unix": int(now.timestamp()),
            "service": _SERVICE,
            "keys": {"mode": access.mode, "tokens": access.has_tokens},
        }

    return door

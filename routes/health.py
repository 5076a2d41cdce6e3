"""`GET /health`: is the process alive. Says nothing that a stranger may not know."""

from datetime import datetime

from flask import Blueprint


def blueprint() -> Blueprint:
    """Return the route."""
    door = Blueprint("health", __name__)

    @door.get("/health")
    def health() -> dict[str, object]:
        return {"status": "healthy", "timestamp": datetime.now().isoformat(timespec="microseconds")}

    return door

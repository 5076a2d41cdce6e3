"""`GET /health`: is the process alive. `GET /health/ready`: can it do its work. Neither says what a stranger may not
know."""

from datetime import UTC, datetime

from flask import Blueprint

from services.admission.access import Access
from services.readiness import Readiness

_SERVICE = "voice-backend"


def blueprint(access: Access, readiness: Readiness) -> Blueprint:
    """Return the routes, joined to their parts."""
    door = Blueprint("health", __name__)

    @door.get("/health")
    def health() -> dict[str, object]:
        keys = {"mode": access.mode, "tokens": access.has_tokens}
        return {"status": "healthy", **_now(), "service": _SERVICE, "keys": keys}

    @door.get("/health/ready")
    def ready() -> tuple[dict[str, object], int]:
        report = readiness.report()
        return {"status": report.status, **_now(), "dependencies": report.states}, 200 if report.is_ready else 503

    return door


def _now() -> dict[str, object]:
    now = datetime.now(UTC)
    return {"timestamp": now.astimezone().isoformat(timespec="microseconds"), "time_unix": int(now.timestamp())}

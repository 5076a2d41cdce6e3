"""`GET /metrics`: the numbers of this server, for Prometheus."""

from flask import Blueprint, Response

from services.metrics import Metrics


def blueprint(metrics: Metrics) -> Blueprint:
    """Return the route, joined to its parts."""
    door = Blueprint("metrics_api", __name__)

    @door.get("/metrics")
    def numbers() -> Response:
        text, kind = metrics.text()
        return Response(text, content_type=kind)

    return door

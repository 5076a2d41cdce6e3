"""Where every request comes in and goes out: its id, its caller, the headers of every answer."""

from flask import Flask, Response, g

from protocol.keys import ApiKey
from routes.call import Call
from services.access import Caller


def register(app: Flask, *, key: ApiKey) -> None:
    """Let every request of this application pass here."""

    @app.before_request
    def enter() -> None:
        g.call = Call(caller=Caller(key=key, identity=key.fingerprint))

    @app.after_request
    def leave(response: Response) -> Response:
        call: Call | None = g.get("call")
        if call is None:  # what failed, failed before the gate
            return response
        response.headers["x-request-id"] = call.request_id
        if call.vendor_request_id:
            response.headers["x-dashscope-request-id"] = call.vendor_request_id
        response.headers["x-overhead-ms"] = f"{call.overhead_ms:.2f}"
        return response

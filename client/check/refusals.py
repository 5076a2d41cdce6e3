"""What a server says to a wrong key, a model that does not exist, a parameter that makes no sense, a wrong address."""

from typing import Any, Final

from client.check.site import Answer, Failed
from client.check.visit import Surface, Visit

_PATH: Final = "/v1/chat/completions"
_WRONG_KEY: Final = "sk-invalid-0000000000000000"
_ERROR: Final = {"message": str, "type": str, "param": str | None, "code": str | None}


def wrong_key(visit: Visit) -> str:
    answer = visit.site.post(_PATH, _request(visit), key=_WRONG_KEY)
    if answer.status == 200 and not visit.site.key:
        return "any key will do here"
    return _refused(answer, 401, code="invalid_api_key")


def wrong_model(visit: Visit) -> str:
    return _refused(visit.site.post(_PATH, _request(visit, model="no-such-model")), 404, code="model_not_found")


def bad_parameter(visit: Visit) -> str:
    answer = visit.site.post(_PATH, _request(visit, temperature="hot"))
    words = _refused(answer, 400)
    if (param := answer.json()["error"]["param"]) != "temperature":
        raise Failed(f"param is {param!r} instead of 'temperature'")
    return words


def wrong_address(visit: Visit) -> str:
    return _refused(visit.site.get("/v1/no-such-address"), 404)


def _request(visit: Visit, **more: Any) -> dict[str, Any]:
    return {"model": visit.chat_model, "messages": [{"role": "user", "content": "Hello."}]} | more


def _refused(answer: Answer, status: int, *, code: str = "") -> str:
    """Return the words of a refusal in OpenAI's shape.  Raises: Failed.  Source: OpenAI API reference, error object"""
    error = answer.expect(status, "application/json").json().get("error")
    if not isinstance(error, dict):
        raise Failed("no `error` object")
    for name, kind in _ERROR.items():
        if name not in error or not isinstance(error[name], kind):
            raise Failed(f"`error.{name}` is {error.get(name)!r}")
    if code and error["code"] != code:
        raise Failed(f"code {error['code']!r} instead of {code!r}")
    return str(error["message"])


SURFACES = (
    Surface(name="wrong key", look=wrong_key),
    Surface(name="wrong model", look=wrong_model),
    Surface(name="bad parameter", look=bad_parameter),
    Surface(name="wrong address", look=wrong_address),
)

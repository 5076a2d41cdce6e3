"""The front door: is it alive, what is it, what does it offer."""

from typing import Any

from client.check.site import Failed
from client.check.visit import Surface, Visit


def health(visit: Visit) -> str:
    return str(visit.site.get("/health").expect(200, "application/json").json().get("status", ""))


def page(visit: Visit) -> str:
    answer = visit.site.get("/", headers={"Accept": "text/html"}).expect(200, "text/html")
    return f"{len(answer.body):,} bytes"


def models(visit: Visit) -> str:
    rows = visit.site.get("/v1/models").expect(200, "application/json").json().get("data")
    if not isinstance(rows, list) or not rows:
        raise Failed("no list of models in `data`")
    for row in rows:
        if missing := {"id", "object"} - set(row):
            raise Failed(f"a model without {', '.join(sorted(missing))}")
    visit.models = [row["id"] for row in rows]
    return f"{len(rows)} models; asked below: {visit.chat_model}"


def model(visit: Visit) -> str:
    name = visit.models[0] if visit.models else visit.chat_model
    found = visit.site.get(f"/v1/models/{name.replace('/', '%2F')}").expect(200, "application/json").json()
    if found.get("id") != name:
        raise Failed(f"{found.get('id')!r} instead of {name!r}")
    return name


def voices(visit: Visit) -> str:
    return f"{len(_listed_for_all(visit, 'voices'))} voices, without a key"


def audio_models(visit: Visit) -> str:
    return f"{len(_listed_for_all(visit, 'models'))} models, without a key"


def _listed_for_all(visit: Visit, name: str) -> list[Any]:
    """Return a list that settings pages read without a key.  Raises: Failed."""
    path = f"/v1/audio/{name}"
    answer = visit.site.get(path, key="")
    if answer.status in (401, 403):
        visit.site.get(path).expect(200)  # where it does not exist at all, a key does not help
    found = answer.expect(200, "application/json").json().get(name)
    if not isinstance(found, list) or not found:
        raise Failed(f"no list of {name} in `{name}`")
    return found


SURFACES = (
    Surface(name="health", look=health, is_optional=True),
    Surface(name="page", look=page, is_optional=True),
    Surface(name="models", look=models),
    Surface(name="one model", look=model),
    Surface(name="voices", look=voices, is_optional=True),
    Surface(name="audio models", look=audio_models, is_optional=True),
)

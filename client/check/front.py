"""The front door: is it alive, what is it, what does it offer."""

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
    found = visit.site.get("/v1/audio/voices", key="").expect(200, "application/json").json().get("voices")
    if not found:
        raise Failed("no `voices`")
    return f"{len(found)} voices, without a key"


def audio_models(visit: Visit) -> str:
    found = visit.site.get("/v1/audio/models", key="").expect(200, "application/json").json().get("models")
    if not found:
        raise Failed("no `models`")
    return f"{len(found)} models, without a key"


SURFACES = (
    Surface(name="health", look=health, is_optional=True),
    Surface(name="page", look=page, is_optional=True),
    Surface(name="models", look=models),
    Surface(name="one model", look=model),
    Surface(name="voices", look=voices, is_optional=True),
    Surface(name="audio models", look=audio_models, is_optional=True),
)

"""The vendor's own list of models."""

from protocol.dashscope.models import read_models
from protocol.errors import UpstreamBroken
from protocol.keys import ApiKey
from providers.dashscope.transport import Transport, authorization
from services.ports import Cancel, ListedModel

_MAX_BYTES = 1_048_576
"""A hundred models take some 10 kB."""


class CompatibleModels:
    """What any server that speaks OpenAI's API lists. Source: DashScope HTTP reference §2.8."""

    def __init__(self, transport: Transport, *, chat_url: str) -> None:
        self._transport = transport
        self._url = chat_url.removesuffix("/chat/completions") + "/models"

    def fetch(self, *, key: ApiKey, cancel: Cancel) -> list[ListedModel]:
        headers = {"Authorization": authorization(key)}
        with self._transport.call("GET", self._url, headers=headers, cancel=cancel) as response:
            body = response.read(_MAX_BYTES + 1)
        if len(body) > _MAX_BYTES:
            raise UpstreamBroken(f"The list of models is larger than {_MAX_BYTES} bytes.")
        return [ListedModel(id=row.id, created=row.created, owned_by=row.owned_by) for row in read_models(body)]

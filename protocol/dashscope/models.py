"""The list of models, OpenAI's shape. Source: DashScope HTTP reference §2.8."""

import msgspec

from protocol.dashscope.failures import malformed


class ModelRow(msgspec.Struct, frozen=True):
    id: str
    created: int = 0
    owned_by: str = ""


class _ModelsBody(msgspec.Struct, frozen=True):
    data: list[ModelRow]


def read_models(body: bytes) -> list[ModelRow]:
    """Return the rows of the list. Raises: UpstreamBroken."""
    try:
        return msgspec.json.decode(body, type=_ModelsBody).data
    except ValueError as error:  # the library's errors are ValueErrors, and so is bad UTF-8
        raise malformed("模型列表无法读取。") from error

"""The vendor's SDK, with our transport as its line. Import it late: it costs 0.35 s and 45 MB.

The SDK words a request and reads the answer. It speaks through a `requests.Session`, and the one it gets from us sends
every request over our transport: it is stoppable, has our deadlines and raises our errors, which pass through the SDK
untouched. Key, address and session are given with each call; nothing of the SDK's globals is used.

Source: SDK 2.0.2, `client/base_api.py`, `api_entities/http_request.py`.
"""

import logging
from collections.abc import Mapping
from typing import Any

import requests
from dashscope.audio.asr import Transcription
from dashscope.audio.qwen_asr import QwenTranscription
from requests.adapters import HTTPAdapter

from protocol.errors import UpstreamBroken
from protocol.keys import ApiKey
from providers.dashscope.temporary_upload import RESOLVE
from providers.dashscope.transport import Transport, authorization
from services.ports import Cancel

logging.getLogger("dashscope").setLevel(logging.CRITICAL)  # its failures are ours to tell, without tracebacks


def submit_transcription(
    transport: Transport,
    url: str,
    *,
    model: str,
    base_url: str,
    key: ApiKey,
    cancel: Cancel,
    parameters: Mapping[str, object] | None = None,
) -> str:
    """Return the id of a new task on the file at `url`. Raises: UpstreamError, Cancelled."""
    authorization(key)  # refuses a key that the SDK's libraries would quote in their errors
    with _open_session(transport, cancel) as session:
        call: dict[str, Any] = {
            "api_key": key.reveal(),
            "base_address": base_url,
            "session": session,
            "headers": dict(RESOLVE) if url.startswith("oss://") else {},
            **(parameters or {}),
        }
        try:
            if "filetrans" in model:
                answer = QwenTranscription.async_call(model, url, **call)
            else:
                answer = Transcription.async_call(model, [url], **call)
            return str(answer.output["task_id"])
        except (TypeError, KeyError, ValueError, AttributeError) as error:  # an answer that the SDK cannot read
            raise UpstreamBroken("识别服务的回复无法解析，请重试。", code="upstream_malformed") from error


def _open_session(transport: Transport, cancel: Cancel) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a .netrc would replace the caller's key by its own
    line = _Line(transport, cancel)
    session.mount("http://", line)
    session.mount("https://", line)
    return session


class _Line(HTTPAdapter):
    """What takes the place of sockets in the SDK's session. Threads: one owner, plus cancel."""

    def __init__(self, transport: Transport, cancel: Cancel) -> None:
        super().__init__()
        self._transport, self._cancel = transport, cancel

    def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
        """Send it our way. Raises: UpstreamError, Cancelled."""
        with self._transport.call(
            request.method, request.url, headers=request.headers, body=request.body, cancel=self._cancel
        ) as answer:
            response = self.build_response(request, answer)
            response.content  # noqa: B018  read here, while the connection is ours
            return response

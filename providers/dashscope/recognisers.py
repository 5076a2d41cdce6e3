"""Which recogniser a model's name asks for.

Source: DashScope model families: `*-realtime` hears over a WebSocket while the sound arrives, `*-flash` takes a whole
recording in one call, everything else transcribes a file behind a URL as an asynchronous task.
"""

from protocol.errors import BadInput
from providers.dashscope.asr_file import FileRecogniser
from providers.dashscope.asr_flash import FlashRecogniser
from providers.dashscope.asr_realtime import RealtimeRecogniser
from providers.dashscope.transport import Transport

_OTHER_PROTOCOLS = ("fun-asr-realtime", "fun-asr-flash", "paraformer-realtime", "gummy-", "qwen-audio-3")
"""They run as duplex tasks, or take another body: DashScope HTTP reference §4.2, realtime reference §6."""


def build(
    model: str,
    transport: Transport,
    *,
    base_url: str,
    websocket_url: str,
    connect_s: float,
    idle_s: float,
    has_public_urls: bool = False,
    task_s: float = 300.0,
) -> FlashRecogniser | FileRecogniser | RealtimeRecogniser:
    """Return the recogniser for a model. `has_public_urls`: the vendor can fetch the recordings by their links.

    Raises: BadInput for a model that speaks a protocol which is not spoken here.
    """
    if model.startswith(_OTHER_PROTOCOLS) and not model.endswith("filetrans"):
        raise BadInput(
            f"{model!r} is not supported: use qwen3-asr-flash-realtime, qwen3-asr-flash or paraformer-v2.",
            param="model",
        )
    if "realtime" in model:
        return RealtimeRecogniser(websocket_url=websocket_url, model=model, connect_s=connect_s, idle_s=idle_s)
    if "flash" in model and "filetrans" not in model:
        return FlashRecogniser(transport, base_url=base_url, model=model)
    return FileRecogniser(transport, base_url=base_url, model=model, has_public_urls=has_public_urls, task_s=task_s)

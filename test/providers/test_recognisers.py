"""The model's name decides how it is asked."""

import pytest

from protocol.errors import BadInput
from providers.dashscope.asr_file import FileRecogniser
from providers.dashscope.asr_flash import FlashRecogniser
from providers.dashscope.asr_realtime import RealtimeRecogniser
from providers.dashscope.recognisers import build
from providers.dashscope.transport import Transport


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("qwen3-asr-flash-realtime", RealtimeRecogniser),
        ("qwen3-asr-flash-realtime-2026-02-10", RealtimeRecogniser),
        ("qwen3-asr-flash", FlashRecogniser),
        ("qwen3-asr-flash-2025-09-08", FlashRecogniser),
        ("qwen3-asr-flash-filetrans", FileRecogniser),
        ("paraformer-v2", FileRecogniser),
        ("fun-asr", FileRecogniser),
    ],
)
def test_a_name_chooses_its_recogniser(model: str, kind: type, transport: Transport) -> None:
    recogniser = build(model, transport, base_url="http://x", websocket_url="ws://x", connect_s=1, idle_s=1)

    assert type(recogniser) is kind
    assert recogniser.model == model
    assert recogniser.is_live is (kind is RealtimeRecogniser)


@pytest.mark.parametrize("model", ["fun-asr-realtime", "paraformer-realtime-v2", "qwen-audio-3.1-asr-flash", "gummy-x"])
def test_a_model_of_another_protocol_is_refused_with_what_to_use(model: str, transport: Transport) -> None:
    with pytest.raises(BadInput, match="qwen3-asr-flash"):
        build(model, transport, base_url="", websocket_url="", connect_s=1, idle_s=1)

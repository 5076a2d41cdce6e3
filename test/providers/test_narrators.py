import pytest

from providers.dashscope import narrators
from providers.dashscope.cosyvoice import CosyVoiceSynthesiser
from providers.dashscope.transport import Transport
from providers.dashscope.tts_http import HttpSynthesiser
from providers.dashscope.tts_realtime import RealtimeSynthesiser
from services.ports import Narrator


def build(model: str, transport: Transport) -> Narrator:
    return narrators.build(
        model,
        transport,
        base_url="http://vendor/api/v1",
        realtime_url="ws://vendor/api-ws/v1/realtime?model=another",
        connect_s=5,
        idle_s=5,
    )


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("qwen3-tts-flash", HttpSynthesiser),
        ("qwen-tts", HttpSynthesiser),
        ("a-model-of-tomorrow", HttpSynthesiser),
        ("qwen3-tts-flash-realtime", RealtimeSynthesiser),
        ("qwen3-tts-vc-realtime-2026-01-15", RealtimeSynthesiser),
        ("cosyvoice-v3.5-plus", CosyVoiceSynthesiser),
        ("qwen-audio-3.0-tts-flash", CosyVoiceSynthesiser),
    ],
)
def test_the_models_name_tells_how_it_is_asked(model: str, kind: type, transport: Transport) -> None:
    narrator = build(model, transport)

    assert isinstance(narrator, kind)
    assert (narrator.model, narrator.rate_hz) == (model, 24_000)


@pytest.mark.parametrize(
    ("model", "obeys"),
    [
        ("qwen3-tts-flash", {"language"}),
        ("qwen3-tts-instruct-flash", {"language", "instructions"}),
        ("qwen3-tts-flash-realtime", {"language", "pitch", "volume"}),
        ("qwen3-tts-instruct-flash-realtime", {"language", "pitch", "volume", "instructions"}),
        ("cosyvoice-v3-plus", {"language", "instructions", "pitch", "volume", "seed"}),
    ],
)
def test_a_model_says_what_it_can_be_told(model: str, obeys: set[str], transport: Transport) -> None:
    assert build(model, transport).obeys == obeys

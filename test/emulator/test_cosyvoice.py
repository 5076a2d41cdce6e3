"""Synthesis over HTTP: CosyVoice, and what qwen3-tts-flash and its kin check."""

import base64

import numpy as np
import pytest

from emulator.ear import decode_audio, hear
from test.emulator.sse import native

TEXT = "你好，世界。Second one."


@pytest.fixture
def speak(emulator, http):
    """Ask CosyVoice; the answer is the response."""

    def ask(model: str = "cosyvoice-v3-flash", *, is_stream: bool = False, **inputs):
        body = {"model": model, "input": {"text": TEXT, "voice": "longanyang", **inputs}}
        headers = {"X-DashScope-SSE": "enable"} if is_stream else {}
        url = f"{emulator.native_url}/services/audio/tts/SpeechSynthesizer"
        return http.post(url, json=body, headers=headers, timeout=10)

    return ask


@pytest.fixture
def download(http):
    """Fetch the sound file that an answer links to, without a key."""
    return lambda body: http.get(body["output"]["audio"]["url"], headers={"Authorization": ""}, timeout=5)


def heard(data: bytes, *, rate_hz: int = 0) -> tuple[str, int]:
    pcm, rate_hz = (data, rate_hz) if rate_hz else decode_audio(data)
    return hear(pcm, rate_hz=rate_hz), rate_hz


def test_a_whole_answer_links_to_an_mp3_of_22050_hz(speak, download) -> None:
    answer = speak()

    body = answer.json()
    audio = body["output"]["audio"]
    assert body["output"]["finish_reason"] == "stop" and audio["data"] == ""
    assert audio["id"] == f"audio_{answer.headers['x-request-id']}" and body["usage"] == {"characters": 21}
    assert download(body).headers["content-type"] == "audio/mpeg"
    assert heard(download(body).content) == (TEXT, 22050)


@pytest.mark.parametrize(
    ("form", "rate_hz", "true_rate_hz"),
    [("wav", 8000, 8000), ("wav", 44100, 44100), ("mp3", 48000, 48000), ("opus", 24000, 48000), ("opus", 22050, 48000)],
)
def test_format_and_rate_are_as_asked(speak, download, form: str, rate_hz: int, true_rate_hz: int) -> None:
    body = speak(format=form, sample_rate=rate_hz).json()

    assert heard(download(body).content) == (TEXT, true_rate_hz)


def test_bare_pcm_has_no_header(speak, download) -> None:
    body = speak(format="pcm", sample_rate=16000).json()

    assert heard(download(body).content, rate_hz=16000) == (TEXT, 16000)


@pytest.mark.parametrize("form", ["pcm", "wav", "mp3", "opus"])
def test_a_stream_brings_sentence_by_sentence_and_last_the_link(speak, download, form: str) -> None:
    frames = native(speak(is_stream=True, format=form, sample_rate=24000).text)

    outputs = [frame["output"] for frame in frames]
    data = b"".join(base64.b64decode(output["audio"]["data"]) for output in outputs[:-1])
    kinds = [(o["type"], o["sentence"]["index"]) for o in outputs[:-1] if o["type"] != "sentence-synthesis"]
    assert heard(data, rate_hz=24000 if form == "pcm" else 0)[0] == TEXT
    assert kinds == [("sentence-begin", 0), ("sentence-end", 0), ("sentence-begin", 1), ("sentence-end", 1)]
    assert [o["original_text"] for o in outputs if o.get("type") == "sentence-end"] == ["你好，世界。", "Second one."]
    assert outputs[-1]["finish_reason"] == "stop" and "type" not in outputs[-1]
    assert heard(download(frames[-1]).content, rate_hz=24000 if form == "pcm" else 0)[0] == TEXT


def test_word_times_come_on_demand(speak) -> None:
    frames = native(speak(is_stream=True, word_timestamp_enabled=True).text)

    ends = [frame["output"]["sentence"]["words"] for frame in frames if frame["output"].get("type") == "sentence-end"]
    assert ends[0][0] == {"text": "你", "begin_index": 0, "end_index": 1, "begin_time": 0, "end_time": 180}
    assert [word["text"] for word in ends[1]] == ["Second ", "one."] and ends[1][0]["begin_time"] == 18 * 60


@pytest.mark.parametrize(("volume", "factor"), [(0, 0.0), (25, 0.5), (100, 2.0)])
def test_volume_is_in_the_sound(speak, download, volume: int, factor: float) -> None:
    usual, changed = (
        np.abs(np.frombuffer(download(speak(format="pcm", volume=v).json()).content, "<i2").astype(float)).max()
        for v in (50, volume)
    )

    assert changed == pytest.approx(usual * factor, abs=1)


def test_markup_is_not_spoken(speak, download) -> None:
    body = speak(text="<speak>Hi <break time='1s'/>there</speak>", enable_ssml=True, format="wav").json()

    assert heard(download(body).content)[0] == "Hi there"


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ({"format": "flac"}, "format"),
        ({"sample_rate": 11025}, "sample_rate"),
        ({"volume": 101}, "volume"),
        ({"rate": 0.4}, "rate"),
        ({"pitch": 2.1}, "pitch"),
        ({"pitch": "high"}, "pitch"),
        ({"bit_rate": 5}, "bit_rate"),
        ({"seed": -1}, "seed"),
        ({"instruction": "x" * 101}, "instruction"),
        ({"language_hints": "zh"}, "language_hints"),
        ({"enable_ssml": 1}, "enable_ssml"),
        ({"text": " "}, "Request text is invalid!"),
        ({"text": "你" * 10_001}, "[1, 20000]"),
        ({"voice": None}, "Request voice is invalid!"),
    ],
)
def test_a_wrong_field_is_refused_by_name(speak, inputs: dict, named: str) -> None:
    answer = speak(**inputs)

    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")
    assert named in answer.json()["message"]


def test_a_refusal_of_a_stream_is_one_error_frame(speak) -> None:
    answer = speak(is_stream=True, voice="alloy")

    assert answer.status_code == 200 and answer.text.startswith("id:1\nevent:error\n:HTTP_STATUS/400\ndata:")
    assert "[cosyvoice:]Engine return error code: 418" in answer.text


@pytest.mark.parametrize(
    ("model", "voice", "status"),
    [
        ("cosyvoice-v2", "longxiaochun_v2", 200),
        ("cosyvoice-v2", "longanyang", 400),
        ("cosyvoice-v3-flash", "longxiaochun_v3", 200),
        ("cosyvoice-v3-flash", "longxiaochun_v2", 400),
        ("cosyvoice-v3-plus", "longanhuan", 200),
        ("cosyvoice-v3.5-flash", "longanyang", 400),
        ("cosyvoice-v3.5-flash", "cosyvoice-v3.5-flash-mine-0a1b", 200),
        ("qwen-audio-3.0-tts-flash", "longanhuan_v3.6", 200),
        ("qwen-audio-3.1-tts-flash", "longanhuan_v3.1", 200),
        ("qwen-audio-3.1-tts-flash", "longanyang", 400),
        ("qwen3-tts-flash", "Cherry", 400),
        ("cosyvoice-v1", "longwan", 403),
    ],
)
def test_each_generation_has_its_voices(speak, model: str, voice: str, status: int) -> None:
    assert speak(model, voice=voice).status_code == status


@pytest.mark.parametrize("status", [429, 500])
def test_a_fault_strikes_once(speak, scenario, status: int) -> None:
    scenario(faults=[{"stage": "tts_http", "kind": "status", "status": status}])

    assert (speak().status_code, speak().status_code) == (status, 200)


@pytest.fixture
def qwen(emulator, http):
    """Ask a qwen synthesis model; the answer is the response."""

    def ask(model: str = "qwen3-tts-flash", **inputs):
        body = {"model": model, "input": {"text": "你好。", "voice": "Cherry", **inputs}}
        return http.post(f"{emulator.native_url}/services/aigc/multimodal-generation/generation", json=body, timeout=10)

    return ask


def test_a_language_that_is_none_is_refused(qwen) -> None:
    assert qwen(language_type="English").status_code == 200
    assert "input.language_type" in qwen(language_type="Klingon").json()["message"]


def test_only_an_instruct_model_reads_instructions(qwen, scenario) -> None:
    scenario(models={"retired": "served"})
    too_long = {"instructions": "慢" * 1601}

    assert qwen(**too_long).status_code == 200
    assert qwen("qwen3-tts-instruct-flash", **too_long).status_code == 400
    assert qwen("qwen3-tts-instruct-flash", instructions="Slowly.").status_code == 200

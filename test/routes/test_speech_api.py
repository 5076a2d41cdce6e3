"""Speech over HTTP, by the real SDK: every sound is heard back to the character."""

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import openai
import pytest
import urllib3

from emulator import Emulator
from emulator.ear import decode_audio, hear, hear_detailed
from test.support.device import heard_in
from test.support.openai_schema import assert_openai
from test.support.servers import RunningServer
from test.support.waiting import eventually

TEXT = "今天天气怎么样？It is fine."
LONG = "".join(f"第{n}页写着：他走过一座桥，又走过一片树林，天黑了才到家。" for n in "一二三四五六七八九") * 22
FORMATS = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm;rate=24000;channels=1",
}


@dataclass(frozen=True)
class Door:
    """The route, by the SDK and by bare HTTP."""

    url: str
    sdk: openai.OpenAI

    def speak(self, **wish: Any) -> openai.HttpxBinaryResponseContent:
        return self.sdk.audio.speech.create(**{"model": "tts-1", "voice": "alloy", "input": TEXT, **wish})

    def post(self, body: object, **headers: str) -> urllib3.BaseHTTPResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return urllib3.request(
            "POST", self.url, body=data, headers={"Content-Type": "application/json", **headers}, timeout=20
        )

    def refusal(self, **wish: Any) -> openai.APIStatusError:
        with pytest.raises(openai.APIStatusError) as refused:
            self.speak(**wish)
        assert_openai("ErrorResponse", refused.value.response.json())
        return refused.value


@pytest.fixture
def door(serve: Callable[..., RunningServer]) -> Iterator[Door]:
    server = serve()
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0) as sdk:
        yield Door(url=f"{server.url}/v1/audio/speech", sdk=sdk)


def words_in(sound: bytes, form: str) -> str:
    return hear(sound, rate_hz=24_000) if form == "pcm" else heard_in(sound)


def events_of(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in body.decode().split("\n\n") if line]


# --- what comes out


@pytest.mark.parametrize("form", FORMATS)
def test_the_sdk_gets_every_format_as_it_is(door: Door, form: str) -> None:
    answer = door.speak(response_format=form)

    assert words_in(answer.content, form) == TEXT
    assert answer.response.headers["content-type"] == FORMATS[form]
    assert answer.response.headers["content-disposition"] == f'inline; filename="speech.{form}"'
    assert answer.response.headers["x-accel-buffering"] == "no"
    assert re.fullmatch(r"req_[0-9a-f]{32}", answer.response.headers["x-request-id"])
    assert answer.response.headers["x-dashscope-request-id"]


@pytest.mark.parametrize("model", ["tts-1-hd", "qwen3-tts-flash-realtime", "cosyvoice-v3-flash", "cosyvoice-v2"])
def test_every_kind_of_model_speaks(door: Door, model: str) -> None:
    assert heard_in(door.speak(model=model).content) == TEXT


def test_the_sound_begins_before_the_vendor_has_ended(door: Door, scenario: Callable[..., None]) -> None:
    scenario(faults=[{"stage": "tts_http", "kind": "stall", "after": 1}])

    with door.sdk.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input=TEXT) as answer:
        first = next(answer.iter_bytes(chunk_size=64))

    assert first[:2] in (b"\xff\xf3", b"\xff\xfb")


def test_a_long_text_is_said_to_its_last_character_without_a_seam(door: Door, emulator: Emulator, key: str) -> None:
    assert len(LONG) > 5000

    pcm = door.speak(input=LONG, response_format="pcm").content

    hearing = hear_detailed(pcm, rate_hz=24_000)
    asked = [entry["body"]["input"]["text"] for entry in emulator.journal(key) if entry["kind"] == "request"]
    spoken_ms = [entry["audio_ms"] for entry in emulator.journal(key) if entry["kind"] == "spoken"]
    assert (hearing.text, hearing.damage) == (LONG, ())
    assert "".join(asked) == LONG and len(asked) > 8
    assert len(pcm) / 48 == sum(spoken_ms)  # not a millisecond more than the voice said


@pytest.mark.parametrize("model", ["cosyvoice-v3-flash", "qwen3-tts-flash-realtime"])
def test_a_long_text_is_said_whole_by_the_other_models_too(door: Door, model: str) -> None:
    pcm = door.speak(input=LONG[:1500], response_format="pcm", model=model).content

    assert hear(pcm, rate_hz=24_000) == LONG[:1500]


def test_many_texts_at_once_never_mix(door: Door) -> None:
    texts = [
        f"{name}说：今天天气怎么样？我走过一座桥，又走过一片树林，天黑了才到家，" * 3 + "晚安。"
        for name in "甲乙丙丁戊己"
    ]

    with ThreadPoolExecutor(len(texts)) as callers:
        sounds = list(callers.map(lambda text: door.speak(input=text, response_format="opus").content, texts))

    assert [heard_in(sound) for sound in sounds] == texts


@pytest.mark.parametrize("speed", [0.25, 0.5, 2, 4])
@pytest.mark.parametrize("model", ["tts-1", "cosyvoice-v3-flash"])
def test_speed_shortens_the_sound(door: Door, speed: float, model: str) -> None:
    plain, _ = decode_audio(door.speak(response_format="flac").content)

    pcm, _ = decode_audio(door.speak(response_format="flac", speed=speed, model=model).content)

    own = min(max(speed, 0.5), 2) if model.startswith("cosy") else 1  # the emulator's voices know one speed
    assert abs(len(pcm) / len(plain) * speed / own - 1) < 0.03


def test_the_vendor_is_told_the_speed_it_can_do(door: Door, emulator: Emulator, key: str) -> None:
    door.speak(model="cosyvoice-v3-flash", speed=4, extra_body={"pitch": 1.5, "language_type": "English"})

    (call,) = [entry for entry in emulator.journal(key) if entry["kind"] == "request"][-1:]
    sent = call["body"]["input"]
    assert (sent["rate"], sent["pitch"], sent["language_hints"]) == (2.0, 1.5, ["en"])


def test_a_sample_rate_can_be_wished_for(door: Door) -> None:
    answer = door.speak(response_format="pcm", extra_body={"sample_rate": 16_000})

    assert hear(answer.content, rate_hz=16_000) == TEXT
    assert answer.response.headers["content-type"] == "audio/pcm;rate=16000;channels=1"


@pytest.mark.parametrize("voice", ["alloy", "MARIN", "Cherry", "ono anna", {"id": "cedar"}])
def test_voices_are_known_by_both_their_names(door: Door, voice: object) -> None:
    assert heard_in(door.speak(voice=voice).content) == TEXT


# --- what clients send


def test_open_webui_names_no_format_and_gets_an_mp3(door: Door) -> None:
    answer = door.post({"model": "tts-1", "input": TEXT, "voice": "alloy"}, Accept="application/octet-stream")

    assert (answer.status, answer.headers["content-type"]) == (200, "audio/mpeg")
    assert heard_in(answer.data) == TEXT


@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
def test_home_assistants_key_probe_is_answered_without_the_vendor(
    door: Door, form: str, emulator: Emulator, key: str
) -> None:
    answer = door.speak(input=".", response_format=form, instructions="None", voice="marin", speed=1.0)

    assert answer.content and not emulator.journal(key)


def test_instructions_that_are_none_are_absent(door: Door) -> None:
    assert heard_in(door.speak(instructions="None").content) == TEXT


def test_instructions_reach_a_model_that_follows_them(door: Door, emulator: Emulator, key: str) -> None:
    door.speak(model="gpt-4o-mini-tts", instructions="Speak like a pirate.")

    sent = [entry for entry in emulator.journal(key) if entry["kind"] == "request"][-1]["body"]
    assert sent["model"] == "qwen-audio-3.0-tts-flash" and sent["input"]["instruction"] == "Speak like a pirate."


@pytest.mark.parametrize("encode", [urlencode, lambda fields: urllib3.encode_multipart_formdata(fields)])
def test_a_form_is_as_good_as_json(door: Door, encode: Callable[..., Any]) -> None:
    fields = {"model": "tts-1", "input": TEXT, "voice": "alloy", "response_format": "wav", "speed": "1", "seed": ""}
    body = encode(fields)
    data, kind = body if isinstance(body, tuple) else (body.encode(), "application/x-www-form-urlencoded")

    answer = door.post(data, **{"Content-Type": kind})

    assert heard_in(answer.data) == TEXT


def test_a_file_in_a_form_is_refused_by_its_name(door: Door) -> None:
    answer = urllib3.request("POST", door.url, fields={"input": TEXT, "sample": ("a.wav", b"RIFF")})

    assert (answer.status, answer.json()["error"]["param"]) == (400, "sample")


# --- events


def test_events_carry_the_sound_and_what_it_cost(door: Door) -> None:
    answer = door.speak(stream_format="sse")

    *deltas, done = events_of(answer.content)
    for event in deltas:
        assert_openai("SpeechAudioDeltaEvent", event)
    assert_openai("SpeechAudioDoneEvent", done)
    assert heard_in(b"".join(base64.b64decode(event["audio"]) for event in deltas)) == TEXT
    assert answer.response.headers["content-type"].startswith("text/event-stream")
    assert done["usage"]["input_tokens"] == len(TEXT) + len("今天天气怎么样")


def test_a_stream_of_events_that_fails_says_so_last(door: Door, scenario: Callable[..., None]) -> None:
    scenario(faults=[{"stage": "tts_http", "kind": "cut", "after": 2}])

    *deltas, last = events_of(door.speak(stream_format="sse").content)

    assert deltas and {event["type"] for event in deltas} == {"speech.audio.delta"}
    assert_openai("ErrorResponse", last)


# --- what goes wrong


def test_sound_that_breaks_off_is_no_whole_answer(door: Door, scenario: Callable[..., None]) -> None:
    scenario(faults=[{"stage": "tts_http", "kind": "cut", "after": 2}])

    with pytest.raises(openai.APIConnectionError):
        door.speak()


@pytest.mark.parametrize("kind", ["cut", "status"])
def test_a_failure_before_the_first_sound_is_tried_once_more(
    door: Door, scenario: Callable[..., None], kind: str
) -> None:
    scenario(faults=[{"stage": "tts_http", "kind": kind, "status": 500}])

    assert heard_in(door.speak().content) == TEXT


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"status": 401}, 401, "invalid_api_key"),
        ({"status": 403}, 403, "permission_denied"),
        ({"status": 429}, 429, "rate_limit_exceeded"),
        ({"status": 400, "code": "Arrearage", "message": "Access denied."}, 429, "insufficient_quota"),
        ({"status": 400, "code": "DataInspectionFailed", "message": "No."}, 400, "content_policy_violation"),
        ({"status": 500}, 502, "upstream_error"),
        ({"status": 503, "code": "ServiceUnavailable", "message": "Later."}, 503, "upstream_unavailable"),
    ],
)
def test_a_vendors_refusal_is_told_with_its_status(
    door: Door, scenario: Callable[..., None], fault: dict[str, Any], status: int, code: str
) -> None:
    scenario(faults=[{"stage": "tts_http", "kind": "status", "times": 0, **fault}])

    refused = door.refusal()

    assert (refused.status_code, refused.code) == (status, code)


def test_work_that_the_vendor_has_done_is_not_asked_for_again(door: Door, scenario: Callable[..., None]) -> None:
    scenario(faults=[{"stage": "tts_http", "kind": "malformed", "times": 0}])

    refused = door.refusal()

    assert refused.status_code == 502 and refused.response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("wish", "status", "param"),
    [
        ({"voice": "nobody"}, 400, "voice"),
        ({"speed": 0.1}, 400, "speed"),
        ({"response_format": "ogg"}, 400, "response_format"),
        ({"stream_format": "websocket"}, 400, "stream_format"),
        ({"input": ""}, 400, "input"),
        ({"input": "a" * 20_001}, 400, "input"),
        ({"extra_body": {"enable_ssml": True}}, 400, "enable_ssml"),
        ({"extra_body": {"pitch": 1.1}}, 400, "pitch"),
        ({"extra_body": {"sample_rate": 8000}, "response_format": "opus"}, 400, "sample_rate"),
        ({"model": "qwen3-tts-flash", "instructions": "Whisper."}, 400, "instructions"),
        ({"model": "gpt-4o-mini-tts", "instructions": "Whisper. " * 12}, 400, "instructions"),
        ({"model": "cosyvoice-v3-flash", "extra_body": {"language_type": "Klingon"}}, 400, "language_type"),
        ({"model": "whisper-1"}, 400, "model"),
        ({"model": "no-such-model"}, 404, None),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    door: Door, wish: dict[str, Any], status: int, param: str | None
) -> None:
    refused = door.refusal(**wish)

    assert (refused.status_code, refused.param) == (status, param)


def test_a_body_beyond_all_bounds_is_refused_unread(door: Door) -> None:
    answer = door.post(b'{"input":"' + b"a" * 1_000_000 + b'"}')

    assert answer.status == 413


def test_a_client_that_leaves_stops_the_vendor(
    door: Door, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    scenario(latency={"tts_speed": 1})

    with door.sdk.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input=LONG) as answer:
        next(answer.iter_bytes(chunk_size=64))

    eventually(lambda: not [thread for thread in threading.enumerate() if "-passage-" in thread.name])
    eventually(lambda: "gone" in [entry["kind"] for entry in emulator.journal(key)])
    assert "spoken" not in [entry["kind"] for entry in emulator.journal(key)]

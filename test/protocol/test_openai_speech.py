import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import BadInput
from protocol.openai.speech import (
    SpeechDelta,
    SpeechDone,
    SpeechRequest,
    SpeechUsage,
    read_speech_form,
    read_speech_request,
)
from test.support.openai_schema import assert_openai


def read(**fields: object) -> SpeechRequest:
    return read_speech_request(msgspec.json.encode({"model": "tts-1", "input": "hi", "voice": "alloy", **fields}))


def test_the_smallest_request_is_an_mp3_at_plain_speed() -> None:
    wish = read_speech_request(b'{"input":"hi"}')

    assert (wish.model, wish.voice_name, wish.response_format, wish.speed) == ("", "", "mp3", 1.0)
    assert wish.stream_format == "audio"


@pytest.mark.parametrize("instructions", ["", "None", "none", "null", None])
def test_instructions_that_clients_send_for_nothing_are_absent(instructions: str | None) -> None:
    assert read(instructions=instructions).instructions == ""


def test_a_voice_may_be_named_by_its_id() -> None:
    assert read(voice={"id": "voice_1"}).voice_name == "voice_1"


@pytest.mark.parametrize(
    "name", ["model", "voice", "instructions", "response_format", "speed", "stream_format", "sample_rate"]
)
@pytest.mark.parametrize("value", ["", None])
def test_empty_and_null_mean_not_said(name: str, value: object) -> None:
    assert getattr(read(**{name: value}), name) == getattr(read_speech_request(b'{"input":"hi"}'), name)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("input", "", "invalid_value"),
        ("input", None, "invalid_type"),
        ("input", 5, "invalid_type"),
        ("voice", 5, "invalid_type"),
        ("voice", {"name": "x"}, None),
        ("response_format", "ogg", "invalid_value"),
        ("response_format", 7, None),
        ("speed", 0.24, "invalid_value"),
        ("speed", 4.01, "invalid_value"),
        ("speed", "fast", "invalid_type"),
        ("stream_format", "ws", "invalid_value"),
        ("sample_rate", 12_345, "invalid_value"),
        ("pitch", 3, "invalid_value"),
        ("volume", 101, "invalid_value"),
        ("volume", 1.5, "invalid_type"),
        ("seed", -1, "invalid_value"),
        ("instructions", "x" * 4097, "invalid_value"),
        ("language_type", 1, "invalid_type"),
        ("enable_ssml", True, "unknown_parameter"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(name: str, value: object, code: str | None) -> None:
    with pytest.raises(BadInput) as refusal:
        read(**{name: value})

    assert (refusal.value.status, (refusal.value.param or "").partition(".")[0]) == (400, name)
    assert code is None or refusal.value.code == code


@pytest.mark.parametrize(
    ("name", "value", "choices"),
    [
        ("response_format", "ogg", "mp3, opus, aac, flac, wav, pcm"),
        ("stream_format", "ws", "audio, sse"),
        ("sample_rate", 1, "8000, 16000, 22050, 24000, 44100, 48000"),
    ],
)
def test_what_is_none_of_a_few_is_refused_with_the_few(name: str, value: object, choices: str) -> None:
    with pytest.raises(BadInput, match=choices):
        read(**{name: value})


def test_a_text_is_required() -> None:
    with pytest.raises(BadInput) as refusal:
        read_speech_request(b'{"model":"tts-1"}')

    assert (refusal.value.code, refusal.value.param) == ("missing_required_parameter", "input")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"hi"', b"\xff", b'{"input":"\\ud800"}', b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        read_speech_request(body)


def test_a_form_says_numbers_in_text() -> None:
    wish = read_speech_form({"input": "hi", "model": "tts-1", "voice": "", "speed": "1.5", "sample_rate": "16000"})

    assert (wish.speed, wish.sample_rate, wish.voice_name) == (1.5, 16_000, "")


@pytest.mark.parametrize("speed", ["nan", "inf", "-1", "two"])
def test_a_forms_speed_is_a_number_within_bounds(speed: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read_speech_form({"input": "hi", "speed": speed})

    assert refusal.value.param == "speed"


@pytest.mark.parametrize(
    ("fields", "content_type"),
    [
        ({}, "audio/mpeg"),
        ({"response_format": "opus"}, "audio/ogg"),
        ({"response_format": "pcm"}, "audio/pcm;rate=24000;channels=1"),
        ({"response_format": "pcm", "sample_rate": 8000}, "audio/pcm;rate=8000;channels=1"),
    ],
)
def test_an_answer_says_what_it_is(fields: dict[str, object], content_type: str) -> None:
    assert read(**fields).content_type == content_type


def test_the_events_are_openais() -> None:
    done = SpeechDone(usage=SpeechUsage(input_tokens=1, output_tokens=2, total_tokens=3))

    assert_openai("SpeechAudioDeltaEvent", msgspec.json.decode(msgspec.json.encode(SpeechDelta(audio=b"\x00\x01"))))
    assert_openai("SpeechAudioDoneEvent", msgspec.json.decode(msgspec.json.encode(done)))


# --- what users read


def test_the_document_says_what_becomes_of_every_parameter() -> None:
    document = (Path(__file__).parents[2] / "docs" / "openai.md").read_text("utf-8")
    section = document.partition("\n## Speech\n")[2].partition("\n## ")[0]

    told = re.findall(r"^\| `(\w+)` \| (?:honoured|translated|refused|ignored) \|", section, re.MULTILINE)

    assert sorted(told) == sorted(SpeechRequest.__struct_fields__)


# --- whatever comes

_NAMES = st.sampled_from([*SpeechRequest.__struct_fields__, "x"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8), st.lists, max_leaves=6
)


@given(st.dictionaries(_NAMES, _JSON))
def test_no_body_is_ever_more_than_refused(fields: dict[str, Any]) -> None:
    try:
        outcome = read(**fields).response_format
    except BadInput as error:
        outcome = error.code

    assert outcome


@given(st.dictionaries(_NAMES, st.text(max_size=12)))
def test_no_form_is_ever_more_than_refused(fields: dict[str, str]) -> None:
    try:
        outcome = read_speech_form(fields).response_format
    except BadInput as error:
        outcome = error.code

    assert outcome

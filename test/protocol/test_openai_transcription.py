"""What clients send to be transcribed, read into one record or refused by name."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import BadInput
from protocol.openai.languages import code_of, name_of
from protocol.openai.transcription import Asked, TranscriptionRequest, read_body, read_form

MODEL = ("model", "whisper-1")


def form(*fields: tuple[str, str]) -> Asked:
    return read_form([MODEL, *fields])


def body(**fields: Any) -> Asked:
    return read_body(json.dumps({"model": "whisper-1", **fields}).encode())


def test_a_form_with_nothing_but_a_model_asks_for_json() -> None:
    assert form() == Asked(model="whisper-1", format="json")


@pytest.mark.parametrize("name", ["timestamp_granularities[]", "timestamp_granularities", "timestamp_granularities[0]"])
def test_lists_are_read_however_they_are_written(name: str) -> None:
    asked = form(("response_format", "verbose_json"), (name, "word"), (name, "segment"))

    assert (asked.with_words, asked.with_segments) == (True, True)


@pytest.mark.parametrize(
    ("granularities", "words", "segments"),
    [([], False, True), (["segment"], False, True), (["word"], True, False), (["word", "segment"], True, True)],
)
def test_segments_are_the_default_and_words_are_asked_for(
    granularities: list[str], words: bool, segments: bool
) -> None:
    asked = body(response_format="verbose_json", timestamp_granularities=granularities)

    assert (asked.with_words, asked.with_segments) == (words, segments)


@pytest.mark.parametrize(
    ("fields", "silence_ms"),
    [
        ([], 200),
        ([("chunking_strategy", "auto")], 200),
        ([("chunking_strategy", '{"type":"server_vad","silence_duration_ms":900}')], 900),
        ([("chunking_strategy[type]", "server_vad"), ("chunking_strategy[silence_duration_ms]", "700")], 700),
        ([("chunking_strategy[type]", "server_vad"), ("chunking_strategy[threshold]", "0.4")], 200),
    ],
)
def test_a_chunking_strategy_is_read_in_each_of_its_forms(fields: list[tuple[str, str]], silence_ms: int) -> None:
    assert form(*fields).silence_ms == silence_ms


def test_empty_fields_are_absent() -> None:
    empty = [(name, "") for name in ("prompt", "language", "temperature", "response_format", "stream", "include[]")]

    assert form(*empty) == form()


def test_what_is_null_in_json_is_absent() -> None:
    assert body(language=None, prompt="", stream=None, chunking_strategy=None) == form()


def test_a_prompt_and_keywords_are_the_context() -> None:
    asked = form(("prompt", "天气播报"), ("keywords[]", "通义千问"), ("keywords[]", "百炼"))

    assert asked.context == "天气播报\n通义千问\n百炼"


def test_booleans_and_numbers_of_a_form_are_text() -> None:
    asked = form(("stream", "true"), ("temperature", "0.4"))

    assert (asked.is_stream, asked.temperature) == (True, 0.4)


# --- the recording in the fields


def test_open_webui_may_send_the_sound_as_json() -> None:
    asked = body(input_audio={"data": base64.b64encode(b"RIFF").decode(), "format": "wav"}, language="zh")

    assert (asked.data, asked.pcm_rate_hz, asked.language) == (b"RIFF", 0, "zh")


def test_bare_sound_says_so() -> None:
    asked = body(input_audio={"data": "AAAA", "format": "pcm"}, sample_rate=8000)

    assert (asked.data, asked.pcm_rate_hz) == (bytes(3), 8000)


@pytest.mark.parametrize("name", ["file", "file_url", "url"])
def test_a_data_uri_is_the_sound_itself(name: str) -> None:
    assert body(**{name: "data:audio/wav;base64,UklGRg=="}).data == b"RIFF"


@pytest.mark.parametrize("name", ["file", "file_url", "url"])
@pytest.mark.parametrize("link", ["https://host/a.wav", "http://host/a.wav?x=1", "oss://bucket/a.wav"])
def test_a_link_is_passed_on(name: str, link: str) -> None:
    assert (form((name, link)).link, form((name, link)).data) == (link, None)


@pytest.mark.parametrize("name", ["file", "file_url", "url"])
@pytest.mark.parametrize(
    "address",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "ftp://host/a",
        "a.wav",
        "https://host/a b",
        "http://127.0.0.1/a",
        "http://h/\r\n",
    ],
)
def test_no_other_address_is_ever_accepted(name: str, address: str) -> None:
    with pytest.raises(BadInput) as refused:
        form((name, address))

    assert refused.value.param == name


def test_two_recordings_are_one_too_many() -> None:
    with pytest.raises(BadInput) as refused:
        body(url="https://host/a.wav", input_audio={"data": "AAAA", "format": "wav"})

    assert refused.value.param == "input_audio"


@pytest.mark.parametrize("data", ["?", "AAA", "data:audio/wav;base64,?"])
def test_sound_that_is_no_base64_is_refused(data: str) -> None:
    with pytest.raises(BadInput) as refused:
        body(input_audio={"data": data, "format": "wav"})

    assert refused.value.param == "input_audio.data"


# --- refusals


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ([("temperature", "1.5")], "temperature", "invalid_value"),
        ([("temperature", "warm")], "temperature", "invalid_type"),
        ([("response_format", "docx")], "response_format", "invalid_value"),
        ([("stream", "perhaps")], "stream", "invalid_type"),
        ([("stream", "true"), ("response_format", "srt")], "response_format", "unsupported_value"),
        ([("stream", "true"), ("response_format", "verbose_json")], "response_format", "unsupported_value"),
        ([("include[]", "logprobs")], "include", "unsupported_value"),
        ([("timestamp_granularities[]", "word")], "timestamp_granularities", "unsupported_value"),
        ([("timestamp_granularities[]", "segment")], "timestamp_granularities", "unsupported_value"),
        ([("known_speaker_names[]", "Ann")], "known_speaker_names", "unsupported_value"),
        ([("known_speaker_references[]", "data:,")], "known_speaker_references", "unsupported_value"),
        ([("chunking_strategy", "{")], "chunking_strategy", "invalid_value"),
        ([("chunking_strategy[type]", "client_vad")], "chunking_strategy.type", "invalid_value"),
        ([("language", "klingon")], "language", "unsupported_value"),
        ([("languages[]", "zh"), ("languages[]", "tlh")], "languages", "unsupported_value"),
        ([("beam_size", "5")], "beam_size", "unknown_parameter"),
        ([("a[b[c]", "5")], "a[b[c]", "unknown_parameter"),
        ([("model", "other")], "model", "invalid_value"),
        ([("sample_rate", "1")], "sample_rate", "invalid_value"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(fields: list[tuple[str, str]], param: str, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        form(*fields)

    assert (refused.value.status, refused.value.param, refused.value.code) == (400, param, code)


def test_a_model_is_required() -> None:
    with pytest.raises(BadInput) as refused:
        read_form([("prompt", "x")])

    assert (refused.value.param, refused.value.code) == ("model", "missing_required_parameter")


SPEAKERS = [("response_format", "diarized_json"), ("known_speaker_names[]", "Ann")]


def test_samples_of_voices_are_data_uris() -> None:
    asked = form(*SPEAKERS, ("known_speaker_references[]", "data:audio/wav;base64,UklGRg=="))

    assert (asked.speakers, asked.voices) == (("Ann",), (b"RIFF",))


@pytest.mark.parametrize(
    "more",
    [
        [("known_speaker_references[]", "https://host/ann.wav")],
        [("known_speaker_references[]", "data:audio/wav;base64,?")],
        [("known_speaker_references[]", "data:;base64,AAAA"), ("known_speaker_references[]", "data:;base64,AAAA")],
        [("known_speaker_references[]", "data:;base64,AAAA"), ("url", "https://host/a.wav")],
    ],
)
def test_samples_that_cannot_be_used_are_refused(more: list[tuple[str, str]]) -> None:
    with pytest.raises(BadInput) as refused:
        form(*SPEAKERS, *more)

    assert refused.value.param == "known_speaker_references"


# --- languages


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("zh", "zh"), ("zh-CN", "zh"), ("zh_CN", "zh"), ("zh_CN.UTF-8", "zh"), ("zh-Hans", "zh"), ("Chinese", "zh"),
        ("中文", "zh"), ("cmn", "zh"), ("zh-HK", "yue"), ("yue", "yue"), ("粤语", "yue"), ("EN", "en"), ("en-us", "en"),
        ("English", "en"), ("de_DE", "de"), ("Deutsch", "de"), ("pt-BR", "pt"), ("nb", "no"), ("tl", "fil"),
        (" fr ", "fr"), ("auto", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_language_is_understood_however_it_is_written(written: str, code: str) -> None:
    assert code_of(written) == code


def test_one_of_several_languages_is_left_to_recognition() -> None:
    several, one = form(("languages[]", "zh"), ("languages[]", "en")), form(("languages[]", "zh-TW"))

    assert (several.languages, several.language, one.language) == (("zh", "en"), "", "zh")


def test_a_language_has_its_english_name() -> None:
    assert [name_of(code) for code in ("zh", "en", "fil", "", "xx")] == ["chinese", "english", "filipino", "", "xx"]


# --- what users read


def test_the_document_says_what_becomes_of_every_parameter() -> None:
    document = (Path(__file__).parents[2] / "docs" / "openai.md").read_text("utf-8")
    section = document.partition("\n## Transcriptions\n")[2].partition("\n## ")[0]

    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]

    told = sorted(name for row in rows for name in re.findall(r"`(\w+)`", row))
    assert told == sorted(TranscriptionRequest.__struct_fields__)


# --- whatever comes


@given(
    st.lists(st.tuples(st.text(max_size=12) | st.sampled_from(["file", "stream", "language"]), st.text(max_size=12)))
)
def test_no_form_is_ever_more_than_refused(fields: list[tuple[str, str]]) -> None:
    try:
        outcome = form(*fields).model
    except BadInput as error:
        outcome = error.code

    assert outcome


_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists, max_leaves=6)


@given(st.dictionaries(st.sampled_from(["file", "stream", "input_audio", "include", "chunking_strategy", "x"]), _JSON))
def test_no_body_is_ever_more_than_refused(fields: dict[str, Any]) -> None:
    try:
        outcome = body(**fields).model
    except BadInput as error:
        outcome = error.code

    assert outcome

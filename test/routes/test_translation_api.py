"""Translations through the openai SDK: one step and two, every shape, other languages, terms, streams and failures."""

import base64
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
import urllib3
from openai import OpenAI

from emulator import Emulator
from providers.dashscope import tasks
from test.support.device import spoken_wav
from test.support.openai_schema import assert_openai
from test.support.recordings import in_container, said_s, sentences_with_pauses, silence, wav
from test.support.servers import RunningServer, running_server
from test.support.waiting import eventually

Serve = Callable[..., RunningServer]
Scenario = Callable[..., None]
Translate = Callable[..., Any]
FIRST, SECOND = "今天天气怎么样？", "我们去公园吧。"
WORDS = FIRST + SECOND
pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # so the SDK calls this whole route
INTERPRETER, TRANSLATOR = "qwen3-livetranslate-flash", "qwen-mt-flash"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the emulator, which is always ready, without the pause that a busy vendor deserves."""
    monkeypatch.setattr(tasks, "_FIRST_PAUSE_S", 0.01)


@pytest.fixture(scope="module")
def server(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests: each asks with a key of its own, which goes to the vendor as it is."""
    with running_server(emulator, tmp_path_factory.mktemp("server"), key="sk-test-of-the-server") as running:
        yield running


@pytest.fixture(scope="module")
def sdk(server: RunningServer) -> Iterator[OpenAI]:
    """The SDK at its strictest: it refuses any answer that is not what OpenAI documents."""
    options = {"max_retries": 0, "_strict_response_validation": True}
    with OpenAI(base_url=f"{server.url}/v1", api_key="sk-nobody", **options) as client:
        yield client


@pytest.fixture
def client(sdk: OpenAI, key: str) -> OpenAI:
    return sdk.with_options(api_key=key)


@pytest.fixture
def translate(client: OpenAI) -> Translate:
    """Translate the usual recording; a test names only what is not usual, OpenAI's own parameters or others."""

    def create(**fields: Any) -> Any:
        own = {"file", "model", "prompt", "response_format", "temperature"}
        more = {name: value for name, value in fields.items() if name not in own}
        usual = {"model": "whisper-1", "file": ("a.wav", spoken_wav(WORDS))}
        fields = {name: value for name, value in fields.items() if name in own}
        return client.audio.translations.create(**{**usual, **fields}, extra_body=more)

    return create


def asked(emulator: Emulator, key: str) -> list[dict[str, Any]]:
    """Return the bodies of what the vendor was asked for."""
    return [entry["body"] for entry in emulator.journal(key) if entry["kind"] == "request"]


def models(emulator: Emulator, key: str) -> list[str]:
    return [body["model"] for body in asked(emulator, key)]


# --- one step


@pytest.mark.parametrize("model", ["whisper-1", "gpt-4o-transcribe", INTERPRETER])
def test_speech_becomes_english_in_one_step(model: str, translate: Translate, emulator: Emulator, key: str) -> None:
    answer = translate(model=model)

    assert answer.text == f"[en] {WORDS}"
    assert_openai("CreateTranslationResponseJson", answer.model_dump(mode="json"))
    body = asked(emulator, key)[0]
    assert (body["model"], body["translation_options"], body["modalities"]) == (
        INTERPRETER,
        {"target_lang": "en"},
        ["text"],
    )


def test_plain_text_is_plain(translate: Translate) -> None:
    assert translate(response_format="text") == f"[en] {WORDS}\n"


def test_the_languages_of_both_sides_can_be_chosen(translate: Translate, emulator: Emulator, key: str) -> None:
    answer = translate(target_language="French", source_language="zh-CN")

    assert answer.text == f"[fr] {WORDS}"
    assert asked(emulator, key)[0]["translation_options"] == {"target_lang": "fr", "source_lang": "zh"}


@pytest.mark.parametrize("kind", [("flac", "flac"), ("ogg", "libopus"), ("mp4", "aac")])
def test_files_of_every_kind_are_translated(kind: tuple[str, str], translate: Translate) -> None:
    file = in_container(spoken_wav(WORDS)[44:], format=kind[0], codec=kind[1])

    assert translate(file=(f"a.{kind[0]}", file)).text == f"[en] {WORDS}"


def test_a_long_recording_is_translated_in_pieces(
    translate: Translate, scenario: Scenario, emulator: Emulator, key: str
) -> None:
    scenario(replies=["Hello there.", "Hello there."])

    assert translate(file=("long.wav", wav(silence(400_000)))).text == "Hello there. Hello there."
    assert models(emulator, key) == [INTERPRETER, INTERPRETER]


def test_a_stream_tells_the_words_as_they_are_found(server: RunningServer, key: str, translate: Translate) -> None:
    events = streamed(server, key)

    assert [event["type"] for event in events[:-1]] == ["transcript.text.delta"] * (len(events) - 1)
    assert "".join(event["delta"] for event in events[:-1]) == events[-1]["text"] == f"[en] {WORDS}"
    assert events[-1]["usage"]["type"] == "tokens" and "languages" not in events[-1]
    for event in events:
        assert_openai("CreateTranscriptionResponseStreamEvent", event)


def streamed(server: RunningServer, key: str, **fields: str) -> list[dict[str, Any]]:
    answer = urllib3.request(
        "POST",
        f"{server.url}/v1/audio/translations",
        fields={"model": "whisper-1", "stream": "true", "file": ("a.wav", spoken_wav(WORDS)), **fields},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.headers["Content-Type"].startswith("text/event-stream"), answer.data
    return [json.loads(line.removeprefix("data: ")) for line in answer.data.decode().split("\n\n") if line]


# --- two steps


def test_subtitles_keep_the_times_of_the_sentences(translate: Translate, emulator: Emulator, key: str) -> None:
    subtitles = translate(response_format="srt")

    assert subtitles == (
        f"1\n00:00:00,000 --> 00:00:01,440\n[English] {FIRST}\n\n2\n00:00:01,440 --> 00:00:02,700\n{SECOND}\n\n"
    )
    assert models(emulator, key) == ["qwen3-asr-flash-filetrans", TRANSLATOR]
    assert asked(emulator, key)[-1]["translation_options"] == {"source_lang": "auto", "target_lang": "English"}


def test_vtt_has_them_too(translate: Translate) -> None:
    assert translate(response_format="vtt").startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.440\n[English] ")


def test_verbose_json_is_openais(translate: Translate) -> None:
    answer = translate(response_format="verbose_json", temperature=0.5)

    assert (answer.language, answer.text) == ("english", f"[English] {WORDS}")
    assert [(segment.start, segment.end, segment.temperature) for segment in answer.segments] == [
        (0.0, 1.44, 0.5),
        (1.44, 2.7, 0.5),
    ]
    assert answer.duration == pytest.approx(2.76, abs=0.1)
    assert answer.task == "translate" and answer.source_language == "chinese"
    assert_openai("CreateTranslationResponseVerboseJson", answer.model_dump(mode="json", exclude_none=True))


def test_terms_and_a_prompt_reach_the_translator(translate: Translate, emulator: Emulator, key: str) -> None:
    answer = translate(prompt="A talk about parks.", terms='{"公园": "garden"}')

    assert answer.text == f"[English] {WORDS}"
    assert asked(emulator, key)[-1]["translation_options"] == {
        "source_lang": "auto",
        "target_lang": "English",
        "terms": [{"source": "公园", "target": "garden"}],
        "domains": "A talk about parks.",
    }


def test_a_language_that_the_one_step_lacks_takes_two(translate: Translate, emulator: Emulator, key: str) -> None:
    assert translate(target_language="Swedish").text == f"[Swedish] {WORDS}"
    assert models(emulator, key) == ["qwen3-asr-flash", TRANSLATOR]


def test_a_stream_in_two_steps_tells_the_same_shapes(server: RunningServer, key: str) -> None:
    events = streamed(server, key, target_language="sv")

    assert "".join(event["delta"] for event in events[:-1]) == events[-1]["text"] == f"[Swedish] {WORDS}"


def test_a_translator_that_merges_lines_is_asked_for_each(
    translate: Translate, scenario: Scenario, emulator: Emulator, key: str
) -> None:
    scenario(replies=["Both in one line.", "How is the weather?", "Let us go."])

    answer = translate(response_format="verbose_json")

    assert [segment.text for segment in answer.segments] == ["How is the weather?", "Let us go."]
    assert models(emulator, key)[1:] == [TRANSLATOR] * 3


def test_a_long_recording_has_the_times_of_all_its_sentences(
    translate: Translate, emulator: Emulator, key: str
) -> None:
    said = [f"第{n}句话是说给长录音听的。" for n in range(100)]

    answer = translate(
        file=("long.wav", wav(sentences_with_pauses(said, pause_ms=600))), response_format="verbose_json"
    )

    assert [segment.text.removeprefix("[English] ") for segment in answer.segments] == said
    assert answer.segments[1].start == pytest.approx(said_s(said[0]) + 0.66, abs=0.05)
    assert models(emulator, key).count(TRANSLATOR) == 7


@pytest.mark.parametrize("format", ["json", "text", "srt", "verbose_json"])
def test_silence_is_an_answer_without_words(
    format: str, translate: Translate, scenario: Scenario, emulator: Emulator, key: str
) -> None:
    scenario(transcripts=[""], replies=[""])

    answer = translate(response_format=format, file=("a.wav", wav(silence(1000))))

    assert (answer if isinstance(answer, str) else answer.text).strip() == ""
    assert TRANSLATOR not in models(emulator, key)


@pytest.mark.parametrize(
    ("model", "used"),
    [
        ("qwen-mt-plus", ["qwen3-asr-flash", "qwen-mt-plus"]),
        ("paraformer-v2", ["paraformer-v2", TRANSLATOR]),
        ("qwen3-asr-flash", ["qwen3-asr-flash", TRANSLATOR]),
    ],
)
def test_a_model_of_either_step_can_be_named(
    model: str, used: list[str], translate: Translate, emulator: Emulator, key: str
) -> None:
    assert translate(model=model).text == f"[English] {WORDS}"
    assert models(emulator, key) == used


def test_an_operator_chooses_the_models(serve: Serve, key: str, emulator: Emulator) -> None:
    server = serve(translation_model="qwen3-asr-flash", text_translation_model="qwen-mt-plus")
    client = OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0)

    client.audio.translations.create(model="whisper-1", file=("a.wav", spoken_wav(WORDS)))

    assert models(emulator, key) == ["qwen3-asr-flash", "qwen-mt-plus"]


# --- where the one step cannot be had


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (404, "ModelNotFound")])
def test_without_the_model_of_the_one_step_it_takes_two(
    status: int, code: str, translate: Translate, scenario: Scenario, emulator: Emulator, key: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    scenario(faults=[{"stage": "chat", "kind": "status", "status": status, "code": code}])

    with caplog.at_level(logging.WARNING, "services.openai.translation"):
        answer = translate()

    assert answer.text == f"[English] {WORDS}"
    assert models(emulator, key) == [INTERPRETER, "qwen3-asr-flash", TRANSLATOR]
    assert "two steps" in caplog.text


def test_who_names_the_model_of_the_one_step_is_told_that_it_cannot_be_had(
    translate: Translate, scenario: Scenario
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "status", "status": 403, "code": "AccessDenied"}])

    with pytest.raises(openai.PermissionDeniedError):
        translate(model=INTERPRETER)


# --- failures


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"language": "en"}, "language"),
        ({"target_language": "Klingon"}, "target_language"),
        ({"source_language": "xx"}, "source_language"),
        ({"terms": "{"}, "terms"),
        ({"terms": '[{"source": "a"}]'}, "terms[0].target"),
        ({"timestamp_granularities": "word"}, "timestamp_granularities"),
        ({"response_format": "diarized_json"}, "response_format"),
        ({"response_format": "srt", "stream": "true"}, "response_format"),
        ({"model": "gpt-4o"}, "model"),
        ({"model": "qwen3-livetranslate-flash-realtime"}, "model"),
        ({"temperature": 1.5}, "temperature"),
        ({"file": ("a.wav", b"")}, "file"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str, translate: Translate) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        translate(**fields)

    assert refused.value.param == param


def test_a_file_that_is_too_large_says_how_much_may_come(serve: Serve, key: str) -> None:
    client = OpenAI(base_url=f"{serve(max_upload_bytes=50_000).url}/v1", api_key=key, max_retries=0)

    with pytest.raises(openai.APIStatusError, match="50000 bytes") as refused:
        client.audio.translations.create(model="whisper-1", file=("a.wav", bytes(60_000)))

    assert (refused.value.status_code, refused.value.param) == (413, "file")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "InvalidApiKey", openai.AuthenticationError),
        (429, "Throttling.RateQuota", openai.RateLimitError),
        (400, "DataInspectionFailed", openai.BadRequestError),
        (500, "InternalError", openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("format", ["json", "srt"])
def test_a_failing_vendor_is_an_error_with_a_status(
    status: int, code: str, error: type[Exception], format: str, translate: Translate, scenario: Scenario
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "status", "status": status, "code": code, "times": 0}])

    with pytest.raises(error):
        translate(response_format=format)


@pytest.mark.parametrize(("format", "header"), [("json", None), ("srt", "false")])
def test_what_fails_after_the_transcription_is_not_to_be_repeated(
    format: str, header: str | None, translate: Translate, scenario: Scenario
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "status", "status": 500, "times": 0}])

    with pytest.raises(openai.InternalServerError) as failed:
        translate(response_format=format)

    assert failed.value.response.headers.get("x-should-retry") == header


@pytest.mark.parametrize("kind", ["cut", "error_event", "malformed", "reset"])
def test_a_call_that_breaks_is_no_half_answer(kind: str, translate: Translate, scenario: Scenario) -> None:
    scenario(faults=[{"stage": "chat", "kind": kind, "after": 3, "code": "InternalError", "times": 0}])

    with pytest.raises(openai.InternalServerError):
        translate()


def test_a_stream_that_breaks_says_so_in_the_stream(server: RunningServer, key: str, scenario: Scenario) -> None:
    scenario(faults=[{"stage": "chat", "kind": "cut", "after": 3}])

    *deltas, last = streamed(server, key)

    assert "".join(event["delta"] for event in deltas) in f"[en] {WORDS}" and "error" in last


def test_a_senseless_answer_of_the_translator_is_the_vendors_fault(translate: Translate, scenario: Scenario) -> None:
    scenario(faults=[{"stage": "chat", "kind": "malformed", "times": 0}])

    with pytest.raises(openai.InternalServerError):
        translate(model="qwen-mt-flash")


def test_a_client_that_leaves_stops_the_translation(
    server: RunningServer, key: str, scenario: Scenario, emulator: Emulator
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "stall"}])
    impatient = OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0, timeout=1.0)

    with pytest.raises(openai.APITimeoutError):
        impatient.audio.translations.create(model="whisper-1", file=("a.wav", spoken_wav(WORDS)))

    eventually(lambda: any(entry["kind"] == "gone" for entry in emulator.journal(key)))


# --- JSON and links


def test_a_recording_may_come_as_json(client: OpenAI, emulator: Emulator, key: str) -> None:
    data = base64.b64encode(spoken_wav(WORDS)).decode()

    answer = client.post(
        "/audio/translations",
        body={"model": "whisper-1", "input_audio": {"data": data}, "terms": [{"source": "公园", "target": "garden"}]},
        cast_to=object,
    )

    assert answer == {"text": f"[English] {WORDS}"}
    assert models(emulator, key)[-1] == TRANSLATOR


def test_a_link_is_given_to_the_vendor(client: OpenAI, emulator: Emulator, key: str) -> None:
    client.audio.transcriptions.create(model="fun-asr", file=("a.wav", spoken_wav(WORDS)))
    link = asked(emulator, key)[0]["input"]["file_urls"][0]

    answer = client.post("/audio/translations", body={"model": "whisper-1", "url": link}, cast_to=object)

    assert answer == {"text": f"[English] {WORDS}"}
    assert models(emulator, key)[1:] == ["qwen3-asr-flash-filetrans", TRANSLATOR]

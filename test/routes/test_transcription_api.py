"""Transcriptions through the openai SDK: every shape, every container, times, speakers, streams and failures."""

import base64
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import openai
import pytest
import urllib3
from openai import OpenAI

from emulator import Emulator, voice
from providers.dashscope import tasks
from test.support.device import spoken_wav
from test.support.openai_schema import assert_openai
from test.support.recordings import in_container, said_s, sentences_with_pauses, silence, wav
from test.support.servers import RunningServer, running_server

Serve = Callable[..., RunningServer]
Scenario = Callable[..., None]
FIRST, SECOND = "今天天气怎么样？", "Shall we go to the park?"
WORDS = FIRST + SECOND


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
def sdk(server: RunningServer) -> OpenAI:
    """The SDK at its strictest: it refuses any answer that is not what OpenAI documents."""
    return OpenAI(base_url=f"{server.url}/v1", api_key="sk-nobody", max_retries=0, _strict_response_validation=True)


@pytest.fixture
def client(sdk: OpenAI, key: str) -> OpenAI:
    return sdk.with_options(api_key=key)


@pytest.fixture
def transcribe(client: OpenAI) -> Callable[..., Any]:
    """Transcribe the usual recording; a test names only what is not usual."""
    usual = {"model": "whisper-1", "file": ("a.wav", spoken_wav(WORDS))}
    return lambda **fields: client.audio.transcriptions.create(**{**usual, **fields})


Transcribe = Callable[..., Any]


def asked(emulator: Emulator, key: str) -> list[dict[str, Any]]:
    """Return the bodies of the recognitions that the vendor was asked for."""
    return [entry["body"] for entry in emulator.journal(key) if entry["kind"] == "request"]


# --- the shapes


@pytest.mark.parametrize("model", ["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-transcribe"])
def test_openais_names_stand_for_this_servers_recogniser(
    model: str, transcribe: Transcribe, emulator: Emulator, key: str
) -> None:
    answer = transcribe(model=model)

    assert answer.text == WORDS
    assert_openai("CreateTranscriptionResponseJson", answer.model_dump(mode="json", exclude_none=True))
    assert [body["model"] for body in asked(emulator, key)] == ["qwen3-asr-flash"]


def test_plain_text_is_plain(transcribe: Transcribe) -> None:
    assert transcribe(response_format="text") == f"{WORDS}\n"


def test_a_request_tells_its_length_in_seconds(transcribe: Transcribe) -> None:
    usage = transcribe().usage

    assert (usage.type, usage.seconds) == ("duration", 3)


def test_srt_has_the_times_of_the_sentences(transcribe: Transcribe) -> None:
    assert transcribe(response_format="srt") == (
        f"1\n00:00:00,000 --> 00:00:01,440\n{FIRST}\n\n2\n00:00:01,440 --> 00:00:02,880\n{SECOND}\n\n"
    )


def test_vtt_has_them_too(transcribe: Transcribe) -> None:
    assert transcribe(response_format="vtt") == (
        f"WEBVTT\n\n00:00:00.000 --> 00:00:01.440\n{FIRST}\n\n00:00:01.440 --> 00:00:02.880\n{SECOND}\n\n"
    )


def test_times_are_those_at_which_it_was_said(transcribe: Transcribe) -> None:
    said = [FIRST, SECOND, "好的。"]
    recording = wav(silence(1000) + sentences_with_pauses(said, pause_ms=700))

    answer = transcribe(
        file=("a.wav", recording), response_format="verbose_json", timestamp_granularities=["segment", "word"]
    )

    begins = [1.0]
    for text in said[:-1]:
        begins.append(begins[-1] + said_s(text) + 0.06 + 0.7)
    ends = [begin + said_s(text) for begin, text in zip(begins, said, strict=True)]
    assert [segment.text for segment in answer.segments] == said
    assert [segment.start for segment in answer.segments] == pytest.approx(begins, abs=0.03)
    assert [segment.end for segment in answer.segments] == pytest.approx(ends, abs=0.03)
    assert [word.word for word in answer.words][:3] == ["今", "天", "天"]
    assert [word.start for word in answer.words][:3] == pytest.approx([1.0, 1.18, 1.36], abs=0.03)
    assert answer.duration == pytest.approx(len(recording[44:]) / 32_000, abs=0.01)


def test_verbose_json_without_words_has_no_words(transcribe: Transcribe) -> None:
    answer = transcribe(response_format="verbose_json")

    assert (answer.words, answer.language, answer.task) == (None, "chinese", "transcribe")
    assert_openai("CreateTranscriptionResponseVerboseJson", answer.model_dump(mode="json", exclude_none=True))


def test_speakers_are_told_apart(transcribe: Transcribe, scenario: Scenario, emulator: Emulator, key: str) -> None:
    scenario(speakers=[1, 0])

    answer = transcribe(model="gpt-4o-transcribe-diarize", response_format="diarized_json", chunking_strategy="auto")

    turns = [(segment.speaker, segment.text, segment.start) for segment in answer.segments]
    assert turns == [("A", FIRST, 0.0), ("B", SECOND, 1.44)]
    assert_openai("CreateTranscriptionResponseDiarizedJson", answer.model_dump(mode="json", exclude_none=True))
    assert asked(emulator, key)[0]["parameters"]["diarization_enabled"] is True


def test_speakers_have_the_names_that_were_given(
    transcribe: Transcribe, scenario: Scenario, emulator: Emulator, key: str
) -> None:
    scenario(speakers=[0, 1])

    answer = transcribe(response_format="diarized_json", extra_body={"known_speaker_names": ["Ann", "Ben"]})

    assert [segment.speaker for segment in answer.segments] == ["Ann", "Ben"]
    assert asked(emulator, key)[0]["parameters"]["speaker_count"] == 2


def sample(text: str) -> str:
    return "data:audio/wav;base64," + base64.b64encode(spoken_wav(text)).decode()


def test_a_voice_is_known_by_its_sample(transcribe: Transcribe, scenario: Scenario) -> None:
    scenario(speakers=[3, 7, 5, 7, 3])
    said = ["你好。", "早上好。", "再见。"]
    known = {
        "known_speaker_names": ["Ann", "Ben"],
        "known_speaker_references": [sample("我是安。"), sample("我是本。")],
    }

    answer = transcribe(
        file=("a.wav", wav(sentences_with_pauses(said, pause_ms=700))),
        response_format="diarized_json",
        extra_body=known,
    )

    assert [(turn.speaker, turn.text) for turn in answer.segments] == [
        ("A", said[0]),
        ("Ben", said[1]),
        ("Ann", said[2]),
    ]
    assert [turn.start for turn in answer.segments] == pytest.approx([0.0, 1.3, 2.78], abs=0.03)
    assert (answer.text, answer.duration) == ("".join(said), pytest.approx(4.08, abs=0.01))


def test_a_sample_that_is_no_sound_is_refused(transcribe: Transcribe) -> None:
    known = {"known_speaker_names": ["Ann"], "known_speaker_references": ["data:audio/wav;base64,AAAA"]}

    with pytest.raises(openai.BadRequestError) as refused:
        transcribe(response_format="diarized_json", extra_body=known)

    assert refused.value.param == "known_speaker_references"


def test_the_model_of_speakers_transcribes_without_them_too(transcribe: Transcribe) -> None:
    assert transcribe(model="gpt-4o-transcribe-diarize").text == WORDS


@pytest.mark.parametrize("format", ["json", "text", "srt", "vtt", "verbose_json", "diarized_json"])
def test_silence_is_an_answer_without_words(format: str, transcribe: Transcribe) -> None:
    answer = transcribe(file=("a.wav", wav(silence(1500))), response_format=format)

    expected = {"text": "\n", "srt": "", "vtt": "WEBVTT\n\n"}
    assert (answer if format in expected else answer.text) == expected.get(format, "")


# --- which recogniser, and what it is told


@pytest.mark.parametrize("model", ["qwen3-asr-flash", "qwen3-asr-flash-realtime", "fun-asr", "paraformer-v2"])
@pytest.mark.parametrize("is_stream", [False, True])
def test_every_kind_of_model_transcribes(model: str, is_stream: bool, transcribe: Transcribe) -> None:
    answer = transcribe(model=model, stream=is_stream)

    text = "".join(getattr(event, "delta", "") for event in answer) if is_stream else answer.text
    assert text == WORDS


@pytest.mark.parametrize(
    ("model", "format", "used"),
    [
        ("whisper-1", "verbose_json", "qwen3-asr-flash-filetrans"),
        ("qwen3-asr-flash", "srt", "qwen3-asr-flash-filetrans"),
        ("qwen3-asr-flash-realtime", "vtt", "qwen3-asr-flash-filetrans"),
        ("paraformer-v2", "srt", "paraformer-v2"),
        ("paraformer-v2", "diarized_json", "paraformer-v2"),
        ("whisper-1", "diarized_json", "fun-asr"),
        ("qwen3-asr-flash-filetrans", "diarized_json", "fun-asr"),
        ("gpt-4o-transcribe-diarize", "json", "fun-asr"),
    ],
)
def test_times_and_speakers_come_from_a_model_that_tells_them(
    model: str, format: str, used: str, transcribe: Transcribe, emulator: Emulator, key: str
) -> None:
    assert transcribe(model=model, response_format=format)
    assert [body["model"] for body in asked(emulator, key)] == [used]


def test_an_operator_chooses_the_models(serve: Serve, key: str, emulator: Emulator) -> None:
    server = serve(file_asr_model="paraformer-v2", diarization_model="paraformer-8k-v2", asr_model="fun-asr")
    client = OpenAI(base_url=f"{server.url}/v1", api_key=key)

    for model, format in (("whisper-1", "json"), ("gpt-4o-transcribe-diarize", "diarized_json")):
        client.audio.transcriptions.create(model=model, file=("a.wav", spoken_wav(WORDS)), response_format=format)
    client.audio.transcriptions.create(
        model="qwen3-asr-flash", file=("a.wav", spoken_wav(WORDS)), response_format="srt"
    )

    assert [body["model"] for body in asked(emulator, key)] == ["fun-asr", "paraformer-8k-v2", "paraformer-v2"]


def test_language_and_prompt_reach_the_recogniser(transcribe: Transcribe, emulator: Emulator, key: str) -> None:
    answer = transcribe(language="zh-CN", prompt="公园", extra_body={"keywords": ["天气"]})

    body = asked(emulator, key)[0]
    assert body["parameters"]["asr_options"]["language"] == "zh"
    assert body["input"]["messages"][0] == {"role": "system", "content": [{"text": "公园\n天气"}]}
    assert [language.code for language in answer.languages] == ["zh"]


def test_language_and_prompt_reach_the_file_model(transcribe: Transcribe, emulator: Emulator, key: str) -> None:
    answer = transcribe(language="English", prompt="park", response_format="verbose_json")

    parameters = asked(emulator, key)[0]["parameters"]
    assert (parameters["language"], parameters["corpus"]) == ("en", {"text": "park"})
    assert answer.language == "english"


def test_several_languages_reach_a_model_that_takes_hints(transcribe: Transcribe, emulator: Emulator, key: str) -> None:
    assert transcribe(model="paraformer-v2", extra_body={"languages": ["zh", "en"]}).text == WORDS
    assert asked(emulator, key)[0]["parameters"]["language_hints"] == ["zh", "en"]


def test_a_model_that_takes_no_prompt_says_so(transcribe: Transcribe) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        transcribe(model="paraformer-v2", prompt="park")

    assert refused.value.param == "prompt"


def test_the_vendors_request_id_is_told(client: OpenAI) -> None:
    raw = client.audio.transcriptions.with_raw_response.create(
        model="whisper-1", file=("a.wav", spoken_wav(WORDS)), stream=True
    )

    assert raw.headers["x-dashscope-request-id"]
    assert raw.headers["content-type"] == "text/event-stream; charset=utf-8"


# --- the stream


@pytest.mark.parametrize("model", ["whisper-1", "gpt-4o-transcribe"])
def test_a_stream_tells_the_words_as_they_are_found(model: str, transcribe: Transcribe) -> None:
    *deltas, done = transcribe(model=model, stream=True)

    assert len(deltas) > 1
    assert "".join(event.delta for event in deltas) == done.text == WORDS
    for event in (*deltas, done):
        body = event.model_dump(mode="json", exclude_none=True)
        assert_openai("CreateTranscriptionResponseStreamEvent", body)


def test_a_stream_tells_who_speaks(transcribe: Transcribe, scenario: Scenario) -> None:
    scenario(speakers=[0, 1])

    events = list(transcribe(model="gpt-4o-transcribe-diarize", response_format="diarized_json", stream=True))

    assert [event.type.rpartition(".")[2] for event in events] == ["delta", "segment", "delta", "segment", "done"]
    assert [event.speaker for event in events if event.type.endswith("segment")] == ["A", "B"]
    assert events[0].segment_id == events[1].id


def test_a_stream_of_silence_has_only_its_end(transcribe: Transcribe) -> None:
    events = list(transcribe(file=("a.wav", wav(silence(1500))), stream=True))

    assert [(event.type, event.text) for event in events] == [("transcript.text.done", "")]


# --- containers

SPOKEN = silence(500) + voice.speak(WORDS, rate_hz=16_000) + silence(300)
KINDS = {
    "wav": {"format": "wav", "codec": "pcm_s16le"},
    "wav, float, stereo, 48 kHz": {"format": "wav", "codec": "pcm_f32le", "rate_hz": 48_000, "layout": "stereo"},
    "mp3": {"format": "mp3", "codec": "libmp3lame", "rate_hz": 44_100, "layout": "stereo"},
    "mpga": {"format": "mp2", "codec": "mp2", "rate_hz": 44_100},
    "m4a": {"format": "ipod", "codec": "aac", "rate_hz": 44_100},
    "mp4, film": {"format": "mp4", "codec": "aac", "rate_hz": 48_000, "layout": "stereo", "with_pictures": True},
    "mov": {"format": "mov", "codec": "aac", "rate_hz": 48_000},
    "3gp": {"format": "3gp", "codec": "amr_nb", "rate_hz": 8000},
    "amr": {"format": "amr", "codec": "amr_nb", "rate_hz": 8000},
    "aac": {"format": "adts", "codec": "aac"},
    "ogg, opus": {"format": "ogg", "codec": "libopus", "rate_hz": 48_000},
    "webm": {"format": "webm", "codec": "libopus", "rate_hz": 48_000},
    "mkv, film": {"format": "matroska", "codec": "aac", "with_pictures": True},
    "flac": {"format": "flac", "codec": "flac"},
    "aiff": {"format": "aiff", "codec": "pcm_s16be"},
    "wma": {"format": "asf", "codec": "wmav2", "rate_hz": 44_100},
    "avi, film": {"format": "avi", "codec": "libmp3lame", "rate_hz": 44_100, "with_pictures": True},
    "flv": {"format": "flv", "codec": "libmp3lame", "rate_hz": 44_100},
    "mpeg": {"format": "mpeg", "codec": "mp2", "rate_hz": 44_100},
    "mpeg ts": {"format": "mpegts", "codec": "aac"},
    "caf": {"format": "caf", "codec": "pcm_s16be"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format", ["json", "srt"])
def test_every_container_is_heard_to_the_letter(kind: str, format: str, transcribe: Transcribe) -> None:
    recording = in_container(SPOKEN, **KINDS[kind])

    answer = transcribe(file=("a.wav", recording, "application/octet-stream"), response_format=format)

    assert (answer.text == WORDS) if format == "json" else (FIRST in answer and SECOND in answer)


@pytest.mark.parametrize("content_type", ["video/webm", "audio/x-wav", "text/plain", "image/png"])
def test_neither_name_nor_type_of_a_file_is_believed(content_type: str, transcribe: Transcribe) -> None:
    assert transcribe(file=("photo.png", spoken_wav(WORDS), content_type)).text == WORDS


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 48_000])
def test_bare_sound_is_heard_when_it_says_what_it_is(rate_hz: int, transcribe: Transcribe) -> None:
    pcm = voice.speak(WORDS, rate_hz=rate_hz)

    answer = transcribe(file=("a.pcm", pcm), extra_body={"format": "pcm", "sample_rate": rate_hz})

    assert answer.text == WORDS


def test_a_film_is_not_sent_for_the_sake_of_its_sound(transcribe: Transcribe, emulator: Emulator, key: str) -> None:
    film = in_container(SPOKEN, **KINDS["mp4, film"])

    transcribe(file=("a.mp4", film))

    sent = next(entry for entry in emulator.journal(key) if entry["kind"] == "heard")
    assert sent["size_bytes"] == pytest.approx(len(SPOKEN) / 32_000 * 8000, rel=0.1)  # sound of 64 kbit/s


def test_all_channels_of_a_recording_are_heard(transcribe: Transcribe) -> None:
    left = np.frombuffer(sentences_with_pauses([FIRST], pause_ms=3000), "<i2")
    right = np.frombuffer(silence(2500) + voice.speak(SECOND, rate_hz=16_000), "<i2")
    size = max(len(left), len(right))
    both = np.stack([np.pad(channel, (0, size - len(channel))) for channel in (left, right)], axis=1)
    stereo = bytearray(wav(both.astype("<i2").tobytes()))
    stereo[22:24], stereo[28:34] = b"\x02\x00", (64_000).to_bytes(4, "little") + b"\x04\x00"

    assert transcribe(file=("a.wav", bytes(stereo)), response_format="srt").count(" --> ") == 2


# --- long recordings


def test_a_recording_of_six_minutes_is_heard_to_the_letter(
    transcribe: Transcribe, emulator: Emulator, key: str
) -> None:
    said = [f"第{n}句话是说给长录音听的。" for n in range(160)]
    recording = wav(sentences_with_pauses(said, pause_ms=300))

    answer = transcribe(file=("long.wav", recording))

    assert answer.text == "".join(said)
    assert answer.usage.seconds == -(-len(recording) // 32_000)
    assert len(asked(emulator, key)) == 2


def test_a_long_stream_comes_in_order(transcribe: Transcribe, scenario: Scenario) -> None:
    scenario(transcripts=["Hello there.", "Hello there."])
    recording = in_container(silence(400_000), format="flac", codec="flac")

    *deltas, done = transcribe(file=("long.flac", recording), stream=True)

    assert done.text == "Hello there. Hello there." == "".join(event.delta for event in deltas)


def test_one_piece_that_fails_fails_the_whole(transcribe: Transcribe, scenario: Scenario) -> None:
    scenario(faults=[{"stage": "asr", "kind": "status", "status": 429, "code": "Throttling"}])

    with pytest.raises(openai.RateLimitError):
        transcribe(file=("long.wav", wav(silence(400_000))))


def test_a_long_recording_has_its_times(transcribe: Transcribe) -> None:
    said = [f"第{n}句话是说给长录音听的。" for n in range(160)]

    answer = transcribe(
        file=("long.wav", wav(sentences_with_pauses(said, pause_ms=600))), response_format="verbose_json"
    )

    assert [segment.text for segment in answer.segments] == said
    step = list(itertools.accumulate(said_s(text) + 0.66 for text in said))
    assert [segment.start for segment in answer.segments] == pytest.approx([0, *step[:-1]], abs=0.05)


# --- links


@pytest.fixture
def link(server: RunningServer, emulator: Emulator, key: str) -> str:
    """A recording that the vendor can fetch: it lies in its own temporary storage."""
    OpenAI(base_url=f"{server.url}/v1", api_key=key).audio.transcriptions.create(
        model="fun-asr", file=("a.wav", spoken_wav(WORDS))
    )
    return str(asked(emulator, key)[0]["input"]["file_urls"][0])


@pytest.mark.parametrize(("is_stream", "used"), [(False, "qwen3-asr-flash-filetrans"), (True, "qwen3-asr-flash")])
def test_a_link_is_given_to_the_vendor(
    is_stream: bool, used: str, link: str, server: RunningServer, emulator: Emulator, key: str
) -> None:
    answer = urllib3.request(
        "POST",
        f"{server.url}/v1/audio/transcriptions",
        json={"model": "whisper-1", "url": link, "stream": is_stream},
        headers={"Authorization": f"Bearer {key}"},
    )

    assert f'"text":"{WORDS}"' in answer.data.decode()
    assert asked(emulator, key)[-1]["model"] == used


@pytest.mark.parametrize("link", ["oss://nobody/has/it.wav", "http://127.0.0.1/a.wav", "/etc/passwd"])
def test_a_link_that_cannot_be_read_is_the_clients_affair(link: str, client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        client.post("/audio/transcriptions", body={"model": "whisper-1", "url": link}, cast_to=object)


# --- failures


@pytest.mark.parametrize(
    ("file", "param"),
    [
        (b"", "file"),
        (b"no sound at all, but some words", "file"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "file"),
        (wav(b""), "file"),
        (b"ID3" + bytes(500), "file"),
        (in_container(SPOKEN, **KINDS["m4a"])[:2000], "file"),
    ],
)
@pytest.mark.parametrize("format", ["json", "srt"])
def test_a_file_without_sound_is_refused(file: bytes, param: str, format: str, transcribe: Transcribe) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        transcribe(file=("a.wav", file), response_format=format)

    assert refused.value.param == param


def test_a_file_that_is_too_large_says_how_much_may_come(serve: Serve, key: str) -> None:
    client = OpenAI(base_url=f"{serve(max_upload_bytes=50_000).url}/v1", api_key=key, max_retries=0)

    with pytest.raises(openai.APIStatusError, match="50000 bytes") as refused:
        client.audio.transcriptions.create(model="whisper-1", file=("a.wav", bytes(60_000)))

    assert (refused.value.status_code, refused.value.param) == (413, "file")


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("no-such-asr-flash", openai.NotFoundError),
        ("no-such-model", openai.NotFoundError),
        ("qwen-plus", openai.BadRequestError),
        ("gpt-4o", openai.BadRequestError),
        ("fun-asr-realtime", openai.BadRequestError),
    ],
)
def test_a_model_that_cannot_transcribe_is_refused(model: str, error: type[Exception], transcribe: Transcribe) -> None:
    with pytest.raises(error):
        transcribe(model=model)


FAULTS = [
    (401, "InvalidApiKey", openai.AuthenticationError),
    (403, "AccessDenied", openai.PermissionDeniedError),
    (429, "Throttling.RateQuota", openai.RateLimitError),
    (400, "Arrearage", openai.RateLimitError),
    (400, "DataInspectionFailed", openai.BadRequestError),
    (500, "InternalError", openai.InternalServerError),
    (503, "ServiceUnavailable", openai.InternalServerError),
]


@pytest.mark.parametrize(("status", "code", "error"), FAULTS)
@pytest.mark.parametrize(("stage", "format"), [("asr", "json"), ("asr_task", "srt")])
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_failing_vendor_is_an_error_with_a_status(
    status: int, code: str, error: type[Exception], stage: str, format: str, is_stream: bool,
    transcribe: Transcribe, scenario: Scenario,
) -> None:  # fmt: skip
    scenario(faults=[{"stage": stage, "kind": "status", "status": status, "code": code, "times": 0}])

    with pytest.raises(error):
        transcribe(response_format="diarized_json" if is_stream and format == "srt" else format, stream=is_stream)


def test_an_upload_that_fails_is_an_error_with_a_status(transcribe: Transcribe, scenario: Scenario) -> None:
    scenario(faults=[{"stage": "upload", "kind": "status", "status": 500, "times": 0}])

    with pytest.raises(openai.InternalServerError):
        transcribe(response_format="srt")


@pytest.mark.parametrize("kind", ["cut", "error_event", "malformed", "reset"])
def test_a_stream_that_breaks_says_so_in_the_stream(kind: str, transcribe: Transcribe, scenario: Scenario) -> None:
    scenario(faults=[{"stage": "asr", "kind": kind, "after": 2, "code": "InternalError"}])
    heard: list[str] = []

    with pytest.raises(openai.APIError):
        heard.extend(event.delta for event in transcribe(stream=True))

    assert "".join(heard) in WORDS


@pytest.mark.parametrize("kind", ["cut", "error_event", "malformed", "reset"])
def test_a_call_that_breaks_is_no_half_answer(kind: str, transcribe: Transcribe, scenario: Scenario) -> None:
    scenario(faults=[{"stage": "asr", "kind": kind, "after": 2, "code": "InternalError", "times": 0}])

    with pytest.raises(openai.InternalServerError):
        transcribe()


def test_a_task_that_takes_too_long_is_not_to_be_begun_again(serve: Serve, key: str, scenario: Scenario) -> None:
    scenario(latency={"task_polls": 10_000})
    client = OpenAI(base_url=f"{serve(file_asr_s=1.0).url}/v1", api_key=key)

    with pytest.raises(openai.InternalServerError) as late:
        client.audio.transcriptions.create(model="whisper-1", file=("a.wav", spoken_wav(WORDS)), response_format="srt")

    assert (late.value.status_code, late.value.response.headers["x-should-retry"]) == (504, "false")


@pytest.mark.parametrize(("kind", "header"), [("status", None), ("error_event", "false")])
def test_what_fails_after_the_task_was_taken_is_not_to_be_repeated(
    kind: str, header: str | None, transcribe: Transcribe, scenario: Scenario
) -> None:
    scenario(faults=[{"stage": "asr_task", "kind": kind, "code": "InternalError", "times": 0}])

    with pytest.raises(openai.InternalServerError) as failed:
        transcribe(response_format="srt")

    assert failed.value.response.headers.get("x-should-retry") == header

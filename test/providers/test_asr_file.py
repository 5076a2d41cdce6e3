"""A recording behind an address, recognised as a task: which address, how patient, and what its outcomes mean."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from emulator import Emulator
from protocol.errors import BadInput, Cancelled, UpstreamBroken, UpstreamError, UpstreamRefused, UpstreamTimeout
from protocol.keys import ApiKey
from protocol.media import WAV
from providers.dashscope import tasks
from providers.dashscope.asr_file import FileRecogniser
from providers.dashscope.temporary_upload import Upload, upload
from providers.dashscope.transport import Transport
from services.flow import CancelToken
from services.ports import ANYTHING, HearingOptions, Recording, SoundFile, Transcript
from test.providers.calls import WORDS, Background, Vendor, recording
from test.providers.vendor import HangUp, Line
from test.providers.vendor import Vendor as ScriptedVendor
from test.support.device import spoken_wav
from test.support.waiting import eventually

Script = Callable[[Callable[[Line], None]], ScriptedVendor]
Scenario = Callable[..., None]
MODELS = ["paraformer-v2", "fun-asr", "qwen3-asr-flash-filetrans"]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the emulator, which is always ready, without the pause that a busy vendor deserves."""
    monkeypatch.setattr(tasks, "_FIRST_PAUSE_S", 0.01)


@pytest.fixture
def published(script: Script) -> Callable[[Recording], Recording]:
    """Put recordings where the vendor can fetch them."""

    def publish(made: Recording) -> Recording:
        def serve(line: Line) -> None:
            line.request()
            line.answer(made.data, headers="Content-Type: audio/wav\r\n")

        return Recording(data=made.data, container=made.container, url=f"{script(serve).url}/a.wav")

    return publish


def requests(emulator: Emulator, key: ApiKey, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in emulator.journal(key.reveal()) if entry["kind"] == kind]


@pytest.mark.parametrize("model", MODELS)
def test_what_was_said_is_heard_by_way_of_an_upload(
    model: str, vendor: Vendor, api_key: ApiKey, cancel: CancelToken, emulator: Emulator
) -> None:
    heard = vendor.file(model=model).transcribe(recording(), key=api_key, cancel=cancel)

    assert heard.text == WORDS
    assert heard.language == ("zh" if "filetrans" in model else "")
    assert requests(emulator, api_key, "uploaded")[0]["object"].endswith("/recording.wav")


@pytest.mark.parametrize("model", MODELS)
def test_a_public_link_needs_no_upload(
    model: str, vendor: Vendor, api_key: ApiKey, cancel: CancelToken, emulator: Emulator,
    published: Callable[[Recording], Recording],
) -> None:  # fmt: skip
    recogniser = vendor.file(model=model, has_public_urls=True)

    assert recogniser.transcribe(published(recording()), key=api_key, cancel=cancel).text == WORDS
    assert requests(emulator, api_key, "uploaded") == []


@pytest.mark.parametrize("model", MODELS)
def test_a_link_that_the_vendor_cannot_read_is_replaced_by_an_upload(
    model: str, vendor: Vendor, api_key: ApiKey, cancel: CancelToken
) -> None:
    recogniser = vendor.file(model=model, has_public_urls=True)

    assert recogniser.transcribe(recording(), key=api_key, cancel=cancel).text == WORDS


@pytest.mark.parametrize("model", MODELS)
def test_silence_is_an_empty_transcript(model: str, vendor: Vendor, api_key: ApiKey, cancel: CancelToken) -> None:
    assert vendor.file(model=model).transcribe(recording(""), key=api_key, cancel=cancel) == Transcript(text="")


def test_a_task_is_asked_for_until_it_is_done(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario, emulator: Emulator
) -> None:
    scenario(latency={"task_polls": 3})

    assert vendor.file().transcribe(recording(), key=api_key, cancel=cancel).text == WORDS
    assert [entry["status"] for entry in requests(emulator, api_key, "polled")][-2:] == ["RUNNING", "SUCCEEDED"]


def test_a_task_that_does_not_end_is_a_timeout(
    emulator: Emulator, transport: Transport, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    scenario(latency={"task_polls": 10_000})
    recogniser = FileRecogniser(transport, base_url=emulator.native_url, model="fun-asr", task_s=0.2)

    with pytest.raises(UpstreamTimeout):
        recogniser.transcribe(recording(), key=api_key, cancel=cancel)


def test_a_turn_that_stops_does_not_wait_for_its_task(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario, emulator: Emulator
) -> None:
    scenario(latency={"task_polls": 10_000})
    running = Background(lambda: vendor.file().transcribe(recording(), key=api_key, cancel=cancel))
    eventually(lambda: requests(emulator, api_key, "polled"))

    cancel.cancel()

    assert isinstance(running.wait(), Cancelled)


def test_a_task_that_failed_keeps_the_vendors_code(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    scenario(faults=[{"stage": "asr_task", "kind": "error_event", "code": "InvalidFile.Format", "message": "no sound"}])

    with pytest.raises(UpstreamRefused, match="no sound") as caught:
        vendor.file().transcribe(recording(), key=api_key, cancel=cancel)

    assert caught.value.vendor_code == "InvalidFile.Format"
    assert caught.value.request_id


def test_an_upload_that_is_refused_is_an_error(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    scenario(faults=[{"stage": "upload", "kind": "status", "status": 403, "times": 0}])

    with pytest.raises(UpstreamError, match="AccessDenied"):
        vendor.file().transcribe(recording(), key=api_key, cancel=cancel)


def test_an_upload_carries_no_key_to_the_bucket(
    script: Script, transport: Transport, api_key: ApiKey, cancel: CancelToken
) -> None:
    seen: list[tuple[str, dict[str, str], bytes]] = []

    def give_policy(line: Line) -> None:
        line.request()
        line.answer(
            b'{"data":{"policy":"p","signature":"s","upload_dir":"dir","oss_access_key_id":"id","upload_host":"%s"}}'
            % bucket.url.encode()
        )

    def take(line: Line) -> None:
        seen.append(line.request())
        line.answer(b"", status="403 Forbidden")

    bucket = script(take)
    recogniser = FileRecogniser(transport, base_url=script(give_policy).url, model="fun-asr")

    with pytest.raises(UpstreamError):
        recogniser.transcribe(recording(), key=api_key, cancel=cancel)

    _, headers, body = seen[0]
    assert "authorization" not in headers
    assert api_key.reveal().encode() not in body
    names = [line.split(b'"')[1] for line in body.split(b"\r\n") if line.startswith(b"Content-Disposition")]
    assert names[0] == b"OSSAccessKeyId"
    assert names[-1] == b"file"


# --- with times and voices

SECOND = "我们去公园吧。"


def sound(text: str = WORDS + SECOND) -> SoundFile:
    data = spoken_wav(text)
    return SoundFile(file=io.BytesIO(data), size_bytes=len(data), container=WAV)


@pytest.mark.parametrize("model", MODELS)
def test_sentences_and_words_have_the_times_at_which_they_were_said(
    model: str, vendor: Vendor, api_key: ApiKey, cancel: CancelToken
) -> None:
    heard = vendor.file(model=model).transcribe_file(sound(), options=ANYTHING, key=api_key, cancel=cancel)

    assert [(s.text, s.begin_s, s.end_s) for s in heard.sentences] == [
        (WORDS, 0.0, pytest.approx(1.44, abs=0.01)),
        (SECOND, pytest.approx(1.44, abs=0.01), pytest.approx(2.7, abs=0.01)),
    ]
    first = heard.sentences[0].words[0]
    assert (first.text, first.begin_s, first.end_s) == ("今", 0.0, pytest.approx(0.18, abs=0.01))
    assert (heard.text, bool(heard.request_id)) == (WORDS + SECOND, True)


@pytest.mark.parametrize("model", ["paraformer-v2", "fun-asr"])
def test_voices_are_told_apart(
    model: str, vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    scenario(speakers=[4, 2])
    options = HearingOptions(with_speakers=True)

    heard = vendor.file(model=model).transcribe_file(sound(), options=options, key=api_key, cancel=cancel)

    assert [sentence.speaker for sentence in heard.sentences] == [4, 2]


FULL = HearingOptions(languages=("zh",), with_speakers=True, speakers=3)


@pytest.mark.parametrize(
    ("model", "options", "parameters"),
    [
        ("fun-asr", ANYTHING, {}),
        ("fun-asr", FULL, {"language_hints": ["zh"], "diarization_enabled": True, "speaker_count": 3}),
        ("fun-asr", HearingOptions(speakers=3), {}),
        ("paraformer-v2", ANYTHING, {"timestamp_alignment_enabled": True}),
        ("qwen3-asr-flash-filetrans", ANYTHING, {"enable_words": True, "enable_itn": False}),
        (
            "qwen3-asr-flash-filetrans",
            HearingOptions(languages=("en",), context="park"),
            {"enable_words": True, "enable_itn": False, "language": "en", "corpus": {"text": "park"}},
        ),
    ],
)
def test_each_family_is_asked_in_its_own_words(
    model: str, options: HearingOptions, parameters: dict[str, Any], vendor: Vendor, api_key: ApiKey,
    cancel: CancelToken, emulator: Emulator,
) -> None:  # fmt: skip
    vendor.file(model=model).transcribe_file(sound(), options=options, key=api_key, cancel=cancel)

    assert requests(emulator, api_key, "request")[0]["body"]["parameters"] == parameters


def test_a_prompt_is_refused_before_anything_is_sent(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, emulator: Emulator
) -> None:
    with pytest.raises(BadInput) as refused:
        vendor.file().transcribe_file(sound(), options=HearingOptions(context="x"), key=api_key, cancel=cancel)

    assert refused.value.param == "prompt"
    assert emulator.journal(api_key.reveal()) == []


def test_an_upload_is_sent_again_whole_when_the_connection_had_died(
    script: Script, transport: Transport, api_key: ApiKey, cancel: CancelToken
) -> None:
    bodies: list[bytes] = []

    def serve(line: Line) -> None:
        while True:
            first, _, body = line.request()
            if first.startswith("GET"):
                line.answer(POLICY % f"{vendor.url}/bucket".encode())
            elif len(bodies) == 0:
                bodies.append(body)
                raise HangUp
            else:
                bodies.append(body)
                line.answer(b"")

    vendor = script(serve)

    sent = Upload(file=sound().file, size_bytes=sound().size_bytes, name="recording.wav", content_type="audio/wav")
    address = upload(transport, sent, model="fun-asr", base_url=vendor.url, key=api_key, cancel=cancel)

    assert address == "oss://dir/recording.wav"
    assert bodies[0] == bodies[1]
    assert spoken_wav(WORDS + SECOND) in bodies[1]


POLICY = b'{"data":{"policy":"p","signature":"s","upload_dir":"dir","oss_access_key_id":"id","upload_host":"%s"}}'


# --- a vendor that is scripted: its answers to the submission, and to each question

SUBMITTED = b'{"output":{"task_id":"t1","task_status":"PENDING"},"request_id":"r1"}'


def task_vendor(script: Script, *answers: tuple[str, bytes]) -> ScriptedVendor:
    """Start a vendor that takes the task and answers the questions one after the other, then with the transcript."""
    waiting = list(answers)

    def serve(line: Line) -> None:
        while True:
            first, headers, _ = line.request()
            if first.startswith("POST"):
                assert headers["x-dashscope-async"] == "enable"
                line.answer(SUBMITTED)
            elif "/tasks/t1" in first:
                status, body = waiting.pop(0)
                line.answer(body.replace(b"HOST", headers["host"].encode()), status=status)
            else:
                assert "authorization" not in headers
                line.answer('{"transcripts":[{"text":"你好。"}]}'.encode())

    return script(serve)


DONE = (
    "200 OK",
    b'{"output":{"task_status":"SUCCEEDED","results":[{"transcription_url":"http://HOST/1.json"}]},"request_id":"r2"}',
)
AWAY = ("503 Service Unavailable", b'{"code":"ServiceUnavailable","message":"later","request_id":"r3"}')


def transcribe(vendor: ScriptedVendor, transport: Transport, key: ApiKey) -> str:
    recogniser = FileRecogniser(transport, base_url=vendor.url, model="fun-asr", has_public_urls=True)
    return recogniser.transcribe(recording(), key=key, cancel=CancelToken()).text


def test_a_question_or_two_that_fail_do_not_cost_the_task(
    script: Script, transport: Transport, api_key: ApiKey
) -> None:
    assert transcribe(task_vendor(script, AWAY, AWAY, DONE), transport, api_key) == "你好。"


def test_a_vendor_that_stays_away_is_an_error(script: Script, transport: Transport, api_key: ApiKey) -> None:
    with pytest.raises(UpstreamBroken) as caught:
        transcribe(task_vendor(script, AWAY, AWAY, AWAY, DONE), transport, api_key)

    assert caught.value.request_id == "r3"


@pytest.mark.parametrize(
    "answer",
    [b'{"output":', b"{}", b'{"output":{}}', b'{"output":{"task_status":"UNKNOWN"},"request_id":"r"}', b"<html>"],
)
def test_an_answer_without_a_task_is_an_error(
    answer: bytes, script: Script, transport: Transport, api_key: ApiKey
) -> None:
    with pytest.raises(UpstreamBroken):
        transcribe(task_vendor(script, *[("200 OK", answer)] * 3), transport, api_key)


@pytest.mark.parametrize("answer", [b'{"output":', b"{}", b'{"output":{}}', b'{"output":7}', b"null", b"<html>"])
def test_a_submission_that_cannot_be_read_is_malformed(
    answer: bytes, script: Script, transport: Transport, api_key: ApiKey
) -> None:
    def serve(line: Line) -> None:
        line.request()
        line.answer(answer)

    with pytest.raises(UpstreamBroken) as caught:
        transcribe(script(serve), transport, api_key)

    assert caught.value.code == "upstream_malformed"

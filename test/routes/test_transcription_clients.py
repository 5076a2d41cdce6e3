"""Transcriptions as Open WebUI, Home Assistant, LiteLLM and curl ask for them; broken requests; clients that leave."""

import base64
import http.client
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from emulator import Emulator
from providers.dashscope import tasks
from test.support.device import spoken_wav
from test.support.openai_schema import assert_openai
from test.support.recordings import silence, wav
from test.support.server_process import ServerProcess, vendor_settings
from test.support.servers import RunningServer, running_server
from test.support.waiting import eventually

Serve = Callable[..., RunningServer]
Scenario = Callable[..., None]
WORDS = "今天天气怎么样？我们去公园吧。"
PATH = "/v1/audio/transcriptions"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_FIRST_PAUSE_S", 0.01)


@pytest.fixture(scope="module")
def server(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests: each asks with a key of its own, which goes to the vendor as it is."""
    with running_server(emulator, tmp_path_factory.mktemp("server"), key="sk-test-of-the-server") as running:
        yield running


class Client:
    """One connection of a client that is no SDK. Invariant: what `fields` returns is a form as browsers write it."""

    def __init__(self, url: str, key: str) -> None:
        self.line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        self._key = key

    def send(self, body: bytes, content_type: str, *, is_chunked: bool = False) -> None:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": content_type}
        pieces = (body[at : at + 8000] for at in range(0, len(body), 8000))
        if is_chunked:
            headers["Transfer-Encoding"] = "chunked"
        self.line.request("POST", PATH, body=pieces if is_chunked else body, headers=headers, encode_chunked=is_chunked)

    def post(self, body: bytes, content_type: str, *, is_chunked: bool = False) -> tuple[int, bytes]:
        self.send(body, content_type, is_chunked=is_chunked)
        answer = self.line.getresponse()
        return answer.status, answer.read()

    def post_form(
        self, fields: dict[str, str], *, file: bytes | None = None, part_type: str = "audio/wav",
        name: str = "a.wav", is_chunked: bool = False,
    ) -> tuple[int, bytes]:  # fmt: skip
        body, content_type = form(fields, file=file, part_type=part_type, name=name)
        return self.post(body, content_type, is_chunked=is_chunked)


def form(fields: dict[str, str], *, file: bytes | None, part_type: str, name: str) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    if file is not None:
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {part_type}\r\n\r\n'
        parts.append(f"--{boundary}\r\n{head}".encode() + file + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


@pytest.fixture
def client(server: RunningServer, key: str) -> Iterator[Client]:
    made = Client(server.url, key)
    yield made
    made.line.close()


# --- Open WebUI


def test_open_webui_sends_its_upload_in_chunks(client: Client) -> None:
    status, body = client.post_form(
        {"model": "whisper-1"},
        file=spoken_wav(WORDS),
        part_type="application/octet-stream",
        name=f"{uuid.uuid4()}.webm",
        is_chunked=True,
    )

    assert (status, json.loads(body)["text"]) == (200, WORDS)


def test_gunicorn_takes_an_upload_in_chunks_as_well(emulator: Emulator, key: str, tmp_path: Path) -> None:
    with ServerProcess(tmp_path, **vendor_settings(emulator, key=key)) as server:
        client = Client(server.started().url, key)
        status, body = client.post_form({"model": "whisper-1"}, file=spoken_wav(WORDS), is_chunked=True)
        client.line.close()

    assert (status, json.loads(body)["text"]) == (200, WORDS)


def test_open_webui_asks_again_without_a_language_that_is_refused(client: Client) -> None:
    first, refused = client.post_form({"model": "whisper-1", "language": "xx-YY"}, file=spoken_wav(WORDS))
    second, body = client.post_form({"model": "whisper-1"}, file=spoken_wav(WORDS))

    assert (first, json.loads(refused)["error"]["param"]) == (400, "language")
    assert (second, json.loads(body)["text"]) == (200, WORDS)


def test_open_webui_may_send_json(client: Client) -> None:
    sound = {"data": base64.b64encode(spoken_wav(WORDS)).decode(), "format": "wav"}
    wish = {"model": "whisper-1", "language": "zh", "input_audio": sound}

    status, body = client.post(json.dumps(wish).encode(), "application/json")

    assert (status, json.loads(body)["text"]) == (200, WORDS)


# --- Home Assistant


def test_home_assistant_leaves_its_prompt_empty_and_names_a_locale(
    client: Client, emulator: Emulator, key: str
) -> None:
    fields = {"model": "whisper-1", "language": "zh-CN", "temperature": "0", "prompt": ""}

    status, body = client.post_form(fields, file=spoken_wav(WORDS), name="audio.wav")

    asked = next(entry["body"] for entry in emulator.journal(key) if entry["kind"] == "request")
    assert (status, json.loads(body)["text"]) == (200, WORDS)
    assert [message["role"] for message in asked["input"]["messages"]] == ["user"]
    assert asked["parameters"]["asr_options"]["language"] == "zh"


def test_home_assistants_own_integration_sends_every_field(client: Client) -> None:
    fields = {"model": "gpt-4o-mini-transcribe", "language": "zh", "prompt": "公园", "response_format": "json"}

    status, body = client.post_form(fields, file=spoken_wav(WORDS))

    assert (status, json.loads(body)["text"]) == (200, WORDS)


# --- LiteLLM, curl, browsers


def test_litellm_finds_the_duration_that_it_bills(client: Client) -> None:
    fields = {"model": "whisper-1", "response_format": "verbose_json"}

    status, body = client.post_form(fields, file=spoken_wav(WORDS))

    answer = json.loads(body)
    assert_openai("CreateTranscriptionResponseVerboseJson", answer)
    assert (status, answer["duration"]) == (200, pytest.approx(len(WORDS.encode()) * 0.06 + 0.06))


def test_curl_writes_lists_and_objects_in_its_own_way(client: Client) -> None:
    fields = {
        "model": "whisper-1",
        "response_format": "verbose_json",
        "timestamp_granularities": "word",
        "chunking_strategy": '{"type": "server_vad"}',
    }

    status, body = client.post_form(fields, file=spoken_wav(WORDS))

    answer = json.loads(body)
    assert (status, "segments" in answer, len(answer["words"])) == (200, False, 13)


def test_a_stream_has_bare_data_lines_and_ends_with_done(client: Client) -> None:
    _, body = client.post_form({"model": "whisper-1", "stream": "true"}, file=spoken_wav(WORDS))

    lines = body.decode().split("\n\n")
    assert lines.pop() == ""
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert [event["type"] for event in events][-1] == "transcript.text.done"
    for event in events:
        assert_openai("CreateTranscriptionResponseStreamEvent", event)


@pytest.mark.parametrize(
    ("fields", "file", "param"),
    [
        ({}, b"", "model"),
        ({"model": "whisper-1"}, None, "file"),
        ({"model": "whisper-1", "file": "/etc/passwd"}, None, "file"),
        ({"model": "whisper-1", "url": "file:///etc/passwd"}, None, "url"),
        ({"model": "whisper-1", "url": "https://host/a.wav"}, b"RIFF", "file"),
        ({"model": "whisper-1", "vad_filter": "true"}, b"RIFF", "vad_filter"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, str], file: bytes | None, param: str, client: Client) -> None:
    status, body = client.post_form(fields, file=file)

    assert_openai("ErrorResponse", json.loads(body))
    assert (status, json.loads(body)["error"]["param"]) == (400, param)


def test_two_files_are_one_too_many(client: Client) -> None:
    once, content_type = form({"model": "whisper-1"}, file=spoken_wav(WORDS), part_type="audio/wav", name="a")
    boundary = content_type.partition("=")[2].encode()
    part = once[once.index(b"--" + boundary, 1) : once.rindex(b"--" + boundary)]

    status, body = client.post(part + once, content_type)

    assert (status, json.loads(body)["error"]["param"]) == (400, "file")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data", "multipart/form-data; boundary=x"),
        (b"{", "application/json"),
        (b"\xff", "application/json"),
        (b"RIFF", "audio/wav"),
        (b"", ""),
    ],
)
def test_a_broken_body_is_refused(body: bytes, content_type: str, client: Client) -> None:
    status, answer = client.post(body, content_type)

    assert_openai("ErrorResponse", json.loads(answer))
    assert status == 400


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_client_that_sends_too_much_is_told_so_and_not_cut_off(
    is_chunked: bool, emulator: Emulator, key: str, tmp_path: Path
) -> None:
    settings = {**vendor_settings(emulator, key=key), "MAX_UPLOAD_BYTES": "50000"}
    with ServerProcess(tmp_path, **settings) as server:
        client = Client(server.started().url, key)
        answers = [client.post_form({"model": "whisper-1"}, file=bytes(size), is_chunked=is_chunked) for size in SIZES]
        client.line.close()

    assert [status for status, _ in answers] == [413] * len(SIZES)


SIZES = (60_000, 1_000_000, 20_000_000)


def test_an_upload_in_chunks_is_never_heard_in_part(serve: Serve, key: str, emulator: Emulator) -> None:
    client = Client(serve(max_upload_bytes=50_000).url, key)

    status, body = client.post_form({"model": "whisper-1"}, file=spoken_wav(WORDS), is_chunked=True)

    client.line.close()
    assert (status, json.loads(body)["error"]["param"]) == (413, "file")
    assert kinds(emulator, key) == []


# --- clients that leave


def kinds(emulator: Emulator, key: str) -> list[str]:
    return [entry["kind"] for entry in emulator.journal(key)]


def test_a_client_that_leaves_stops_the_recognition(
    client: Client, scenario: Scenario, emulator: Emulator, key: str
) -> None:
    scenario(latency={"asr_ms": 60_000})
    client.send(*form({"model": "whisper-1"}, file=spoken_wav(WORDS), part_type="audio/wav", name="a.wav"))
    eventually(lambda: "request" in kinds(emulator, key))

    client.line.close()

    eventually(lambda: "gone" in kinds(emulator, key))


def test_a_client_that_leaves_in_mid_stream_stops_it(
    client: Client, scenario: Scenario, emulator: Emulator, key: str
) -> None:
    scenario(faults=[{"stage": "asr", "kind": "stall", "after": 1}])
    fields = {"model": "whisper-1", "stream": "true"}
    client.send(*form(fields, file=spoken_wav(WORDS), part_type="audio/wav", name="a.wav"))
    answer = client.line.getresponse()
    assert answer.readline().startswith(b"data: ")

    answer.close()
    client.line.close()

    eventually(lambda: "gone" in kinds(emulator, key))


def test_a_client_that_leaves_stops_every_piece_of_a_long_recording(
    client: Client, scenario: Scenario, emulator: Emulator, key: str
) -> None:
    scenario(latency={"asr_ms": 60_000})
    recording = wav(silence(600_000))
    client.send(*form({"model": "whisper-1"}, file=recording, part_type="audio/wav", name="a.wav"))
    eventually(lambda: kinds(emulator, key).count("request") == 3)

    client.line.close()

    eventually(lambda: kinds(emulator, key).count("gone") == 3)

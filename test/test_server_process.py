"""The life of the server's process: it starts, serves, finishes what runs when it is stopped, and loses nothing."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import urllib3

from emulator import Emulator
from storage.history import open_history, sqlite_url
from test.support.device import TestDevice, packets, spoken_wav
from test.support.server_process import ServerProcess, vendor_settings
from test.support.waiting import eventually

QUESTION = "hello"
STORY = "从前有一台服务器。有人让它停下来。它先把这句话说完，然后把故事讲到最后。大家都听完了，它才安心地睡着了。"
SLOWLY = {"chat_first_token_ms": 5, "chat_token_ms": 15, "chat_token_chars": 1}
"""The model takes most of a second to write the story, so that a turn is running when the signal comes."""

Start = Callable[..., ServerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start servers in one folder; whatever is left of them is ended with the test."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(ServerProcess(tmp_path, **settings))


@pytest.fixture
def start_with_vendor(start: Start, emulator: Emulator, key: str) -> Start:
    return lambda **settings: start(**vendor_settings(emulator, key=key), **settings).started()


@pytest.fixture
def connect_to() -> Iterator[Callable[[ServerProcess], TestDevice]]:
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(TestDevice(server.audio_url))


# --- it starts


def test_without_a_key_it_brings_all_it_needs_and_holds_a_turn(
    start: Start, connect_to: Callable[[ServerProcess], TestDevice], tmp_path: Path
) -> None:
    server = start(EMULATOR_VOICE="tones").started()
    device = connect_to(server)

    complete = device.turn(spoken_wav("你好"))

    assert complete["transcription_text"] == "你好" and complete["tts_success"]
    assert device.bodies("chat_tts_complete")[0]["db_saved"]
    assert "built-in emulator" in server.said and "tones" in server.said
    assert f"SQLite in {tmp_path}/data/" in server.said and f"local files in {tmp_path}/data/files/" in server.said


def test_it_talks_to_nobody_beyond_this_machine_without_a_key(
    start: Start, connect_to: Callable[[ServerProcess], TestDevice]
) -> None:
    server = start(EMULATOR_VOICE="tones").started()
    connect_to(server).turn(spoken_wav(QUESTION))

    peers = {line.raddr.ip for process in server.members() for line in process.net_connections() if line.raddr}

    assert peers == {"127.0.0.1"}


def test_it_writes_nothing_outside_its_data_folder(start: Start, tmp_path: Path) -> None:
    server = start(EMULATOR_VOICE="tones").started()

    server.terminate()

    assert server.ended() == 0
    assert {path.name for path in tmp_path.iterdir()} == {"data", "stdout", "stderr"}


def test_it_answers_health_and_the_page(start_with_vendor: Start) -> None:
    server = start_with_vendor()

    health = urllib3.request("GET", f"{server.url}/health")
    page = urllib3.request("GET", f"{server.url}/", headers={"Accept": "text/html"})

    assert (health.status, health.json()["status"]) == (200, "healthy")
    assert page.status == 200 and b"<html" in page.data
    assert "DashScope" in server.said and "emulator" not in server.said


def test_a_bad_value_ends_the_start_with_one_sentence(start: Start) -> None:
    server = start(TTS_SAMPLE_RATE="44100")

    status = server.ended()

    assert status == 2
    assert server.logged == (
        "TTS_SAMPLE_RATE='44100' is not valid: TTS_SAMPLE_RATE must be one of 8000, 16000, 24000, 48000.\n"
    )


def test_a_database_that_is_away_does_not_stop_the_start_and_is_told_without_the_password(start: Start) -> None:
    server = start(DB_HOST="127.0.0.1", DB_PORT="1", DB_USER="u", DB_PASSWORD="hush-hush", DB_NAME="d").started()

    eventually(lambda: "delivery waits" in server.logged)

    assert "history begins in the journal" in server.logged and "Check DB_HOST and DB_PORT" in server.logged
    assert "hush" not in server.logged and "Traceback" not in server.logged


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ACCESSKEY_ID": "LTAI", "BUCKET": "b-1"}, "ACCESSKEY_SECRET must be set too"),
        ({"ACCESSKEY_ID": "i", "ACCESSKEY_SECRET": "hush", "BUCKET": "Not a bucket"}, "Check BUCKET"),
        (
            {
                "ACCESSKEY_ID": "i",
                "ACCESSKEY_SECRET": "hush",
                "BUCKET": "b-1",
                "OSS_SIGNATURE": "v4",
                "RECORDING_URL_SECONDS": "604801",
            },
            "RECORDING_URL_SECONDS may be 604800 at most",
        ),
    ],
)
def test_a_wrong_bucket_setting_ends_the_start_with_one_sentence(
    start: Start, settings: dict[str, str], words: str
) -> None:
    server = start(**settings)

    status = server.ended()

    assert status == 4
    assert "The server cannot start: " in server.logged and words in server.logged
    assert "hush" not in server.logged and "Traceback" not in server.logged


def test_retired_models_are_told_with_their_successors(start: Start, emulator: Emulator, key: str) -> None:
    names = vendor_settings(emulator, key=key)
    names["REAL_TIME_AUDIO_URL"] = f"{emulator.websocket_url}/realtime?model=qwen-tts-realtime"

    server = start(**names, QWEN_AUDIO_RECOGNIZE_MODEL="paraformer-v1", QWEN_VLM_MODEL="qwen-vl-plus").started()

    assert "model paraformer-v1 was retired by the vendor; its successor is paraformer-v2" in server.logged
    assert "model qwen-vl-plus was retired by the vendor; its successor is qwen3-vl-plus" in server.logged
    assert (
        "model qwen-tts-realtime was retired by the vendor; its successor is qwen3-tts-flash-realtime" in server.logged
    )


def test_health_answers_while_every_place_is_taken(
    start_with_vendor: Start, connect_to: Callable[[ServerProcess], TestDevice]
) -> None:
    server = start_with_vendor(MAX_WS_SESSIONS="3", HTTP_THREADS="2")
    devices = [connect_to(server) for _ in range(3)]
    for device in devices:
        device.until("connected")
    one_too_many = connect_to(server)

    health = urllib3.request("GET", f"{server.url}/health", timeout=10, retries=False)

    assert health.status == 200
    assert one_too_many.until("error")["code"] == "too_many_sessions"
    assert closing_of(one_too_many) == "closed with 1013"
    assert all(device.turn(spoken_wav(QUESTION))["tts_success"] for device in devices)


# --- it stops


@pytest.mark.parametrize("stop", [ServerProcess.terminate, ServerProcess.interrupt])
def test_a_stop_lets_the_running_turn_finish_and_then_says_goodbye(
    stop: Callable[[ServerProcess], None],
    start_with_vendor: Start,
    connect_to: Callable[[ServerProcess], TestDevice],
    scenario: Callable[..., None],
) -> None:
    scenario(replies=[STORY], latency=SLOWLY)
    server = start_with_vendor()
    device, idle = connect_to(server), connect_to(server)
    begin_to_speak(device)

    stop(server)

    assert closing_of(idle) == "closed with 1001"
    assert device.until("audio_complete")["assistant_response"] == STORY
    assert device.heard() == STORY and device.bodies("chat_tts_complete")[0]["db_saved"]
    assert closing_of(device) == "closed with 1001"
    assert server.ended() == 0 and not server.members()


def test_a_turn_that_does_not_end_in_time_is_ended_and_saved(
    start_with_vendor: Start, connect_to: Callable[[ServerProcess], TestDevice], scenario: Callable[..., None]
) -> None:
    scenario(replies=[STORY], latency=SLOWLY | {"chat_token_ms": 500})
    server = start_with_vendor(DRAIN_SECONDS="0")
    device = connect_to(server)
    device.send(*packets(spoken_wav(QUESTION)))
    device.until("chat_chunk")

    server.terminate()

    complete = device.until("chat_tts_complete")
    assert complete["interrupted"] and complete["db_saved"]
    assert server.ended() == 0 and not server.members()


def test_a_second_interrupt_does_not_wait_for_the_turn(
    start_with_vendor: Start, connect_to: Callable[[ServerProcess], TestDevice], scenario: Callable[..., None]
) -> None:
    scenario(replies=[STORY], faults=[{"stage": "chat", "kind": "stall", "after": 5}])
    server = start_with_vendor(DRAIN_SECONDS="600", UPSTREAM_IDLE_SECONDS="600")
    idle, device = connect_to(server), connect_to(server)
    device.send(*packets(spoken_wav(QUESTION)))
    device.until("chat_chunk")
    server.interrupt()
    assert closing_of(idle) == "closed with 1001"

    server.interrupt()

    assert server.ended() == 0 and not server.members()


# --- it loses nothing


def test_a_kill_in_mid_turn_loses_no_saved_turn(
    start_with_vendor: Start,
    connect_to: Callable[[ServerProcess], TestDevice],
    scenario: Callable[..., None],
    tmp_path: Path,
) -> None:
    scenario(replies=["The first answer.", STORY], latency=SLOWLY)
    server = start_with_vendor()
    device = connect_to(server)
    device.turn(spoken_wav(QUESTION))
    assert device.bodies("chat_tts_complete")[0]["db_saved"]
    begin_to_speak(device)

    server.kill()

    start_with_vendor()
    history = open_history(sqlite_url(tmp_path / "data" / "history.sqlite3"))
    turns = history.recent(device.bodies("connected")[0]["session_id"], limit=5)
    history.close()
    assert [turn.answer_text for turn in turns] == ["The first answer."]
    eventually(lambda: not server.members())


def begin_to_speak(device: TestDevice) -> None:
    """Send an utterance and return when its answer can be heard."""
    device.sound.clear()
    device.send(*packets(spoken_wav(QUESTION)))
    device.until("audio_stream", lambda body: body["event"] == "data")


def closing_of(device: TestDevice) -> str:
    """Return how the server closes this connection."""

    def receive_all() -> None:
        while True:
            device.receive()

    with pytest.raises(ConnectionError) as closing:
        receive_all()
    return str(closing.value)

"""Stopping an answer: by speaking again, by asking, by leaving."""

import threading
from collections.abc import Callable

import pytest

from emulator import Emulator
from storage.history import open_history, sqlite_url
from test.support.device import TestDevice, packets, spoken_wav
from test.support.servers import RunningServer
from test.support.waiting import eventually

QUESTION = "讲一个故事"
STORY = "".join(f"这是故事的第{number}句话。" for number in "一二三四五六七八九")
SLOW = {"tts_speed": 1.0, "tts_delta_ms": 60}


@pytest.fixture
def server(serve: Callable[..., RunningServer], scenario: Callable[..., None]) -> RunningServer:
    scenario(replies=[STORY, "好的。"], latency=SLOW)
    return serve()


def until_talking(device: TestDevice) -> None:
    device.send(*packets(spoken_wav(QUESTION)))
    device.until("audio_stream")


def test_cancel_ends_the_turn_with_its_completion_events(
    server: RunningServer, connect: Callable[..., TestDevice]
) -> None:
    device = connect(server)
    until_talking(device)

    device.send({"type": "cancel"})
    complete = device.until("audio_complete")

    assert device.bodies("chat_tts_complete")[0]["interrupted"] is True
    assert not complete["tts_success"] and complete["transcription_success"]
    assert device.bodies("audio_stream")[-1] == {"event": "finished"}


def test_no_sound_of_a_cancelled_turn_comes_after_its_end(
    server: RunningServer, connect: Callable[..., TestDevice]
) -> None:
    device = connect(server)
    until_talking(device)
    device.send({"type": "cancel"})
    device.until("audio_complete")

    device.sound.clear()
    device.turn(spoken_wav("再来"))

    assert device.heard() == "好的。"


def test_a_new_recording_interrupts_and_is_answered(server: RunningServer, connect: Callable[..., TestDevice]) -> None:
    device = connect(server)
    until_talking(device)

    device.send(*packets(spoken_wav("停，换一个")))
    first = device.until("audio_complete")
    second = device.until("audio_complete")

    assert (first["transcription_text"], first["tts_success"]) == (QUESTION, False)
    assert (second["transcription_text"], second["tts_success"]) == ("停，换一个", True)


def test_history_and_the_model_keep_what_was_heard(
    server: RunningServer, connect: Callable[..., TestDevice], emulator: Emulator, key: str
) -> None:
    device = connect(server)
    until_talking(device)
    device.send({"type": "cancel", "played_ms": 3_600_000})  # the device says: all that you sent
    device.until("audio_complete")
    device.turn(spoken_wav("后来呢"))

    history = open_history(sqlite_url(server.data_dir / "history.sqlite3"))
    first, _ = history.recent(device.bodies("connected")[0]["session_id"], limit=5)
    history.close()
    told = [entry["body"]["messages"] for entry in emulator.journal(key) if "messages" in entry.get("body", {})]
    assert first.interrupted and first.answer_text.startswith(first.answer_heard)
    assert len(first.answer_heard) < len(STORY)
    answers = [message["content"] for message in told[-1] if message["role"] == "assistant"]
    assert answers == ([first.answer_heard] if first.answer_heard else [])


def test_a_device_that_leaves_stops_the_vendors_work_and_every_thread(
    server: RunningServer, connect: Callable[..., TestDevice], emulator: Emulator, key: str
) -> None:
    before = threading.active_count()
    device = connect(server)
    until_talking(device)

    device.ws.shutdown()

    eventually(lambda: len(server.app.extensions["sessions"]) == 0)
    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("ws-")])
    eventually(lambda: threading.active_count() <= before + 1)


def test_cancel_while_the_model_thinks_ends_at_once(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], scenario: Callable[..., None]
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "stall"}])
    device = connect(serve(upstream_idle_s=600))
    device.send(*packets(spoken_wav(QUESTION)))
    device.until("chat_started")

    device.send({"type": "cancel"})
    complete = device.until("audio_complete")

    assert complete["transcription_success"] and not complete["chat_success"]


def test_cancel_while_recognition_hangs_ends_at_once(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], scenario: Callable[..., None]
) -> None:
    scenario(faults=[{"stage": "asr", "kind": "stall"}])
    device = connect(serve(upstream_idle_s=600))
    device.send(*packets(spoken_wav(QUESTION)))
    device.until("transcription_started")

    device.send({"type": "cancel"})
    complete = device.until("audio_complete")

    assert not complete["transcription_success"]


def test_cancel_of_half_a_recording_forgets_it(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    device = connect(serve())
    device.send(*packets(spoken_wav("没有说完"))[:3], {"type": "cancel"})

    complete = device.turn(spoken_wav(QUESTION))

    assert complete["transcription_text"] == QUESTION


def test_cancel_with_nothing_running_is_harmless(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    device = connect(serve())

    device.send({"type": "cancel"}, {"type": "cancel"})
    complete = device.turn(spoken_wav(QUESTION))

    assert complete["tts_success"] and not device.bodies("error")

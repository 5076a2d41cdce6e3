"""Realtime recognition: segments by voice activity and by commit."""

import pytest

from emulator.voice import speak
from test.emulator.sounds import silence

MODEL = "qwen3-asr-flash-realtime"
VAD = {"type": "server_vad", "threshold": 0.0, "silence_duration_ms": 400}
RESULT = "conversation.item.input_audio_transcription"


def say(text: str) -> bytes:
    return speak(text, rate_hz=16000)


def pause(duration_ms: int) -> bytes:
    return silence(duration_ms, rate_hz=16000)


def transcripts(client) -> list[str]:
    return [event["transcript"] for event in client.events if event["type"] == f"{RESULT}.completed"]


def test_a_pause_ends_a_sentence_without_commit_or_finish(open_session) -> None:
    client = open_session(MODEL)
    client.update(turn_detection=VAD)
    client.append_audio(pause(500) + say("今天天气怎么样？") + pause(600))

    assert client.wait(f"{RESULT}.completed")["transcript"] == "今天天气怎么样？"
    order = [kind for kind in client.kinds if not kind.endswith(".text")]
    assert order[-5:] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.created",
        f"{RESULT}.completed",
    ]


def test_each_sentence_is_an_item_linked_to_the_one_before(open_session) -> None:
    client = open_session(MODEL)
    client.update(turn_detection=VAD)
    client.append_audio(say("one") + pause(600) + say("two") + pause(600))
    client.send("session.finish")
    client.wait("session.finished")

    commits = [event for event in client.events if event["type"] == "input_audio_buffer.committed"]
    assert transcripts(client) == ["one", "two"]
    assert commits[1]["previous_item_id"] == commits[0]["item_id"]


def test_previews_grow_towards_the_transcript(open_session) -> None:
    client = open_session(MODEL)
    client.update(turn_detection=VAD)
    client.append_audio(say("今天天气怎么样？") + pause(600))
    client.wait(f"{RESULT}.completed")

    previews = [event["text"] + event["stash"] for event in client.events if event["type"] == f"{RESULT}.text"]
    assert previews == sorted(previews, key=len) and all("今天天气怎么样？".startswith(text) for text in previews)


def test_finish_flushes_a_sentence_that_has_not_ended(open_session) -> None:
    client = open_session(MODEL)
    client.append_audio(say("不等停顿"))
    client.send("session.finish")
    client.wait("session.finished")

    assert transcripts(client) == ["不等停顿"]


def test_silence_gives_no_transcript(open_session) -> None:
    client = open_session(MODEL)
    client.append_audio(pause(2000))
    client.send("session.finish")
    client.wait("session.finished")

    assert client.kinds == ["session.created", "session.finished"]


def test_manual_mode_waits_for_the_commit(open_session) -> None:
    client = open_session(MODEL)
    assert client.update(turn_detection=None)["turn_detection"] is None
    client.append_audio(say("one") + pause(2000) + say("two"))
    assert client.is_quiet()
    client.send("input_audio_buffer.commit")

    assert client.wait(f"{RESULT}.completed")["transcript"] == "onetwo"


def test_a_commit_without_sound_is_an_error(open_session) -> None:
    client = open_session(MODEL)
    client.update(turn_detection=None)
    client.send("input_audio_buffer.commit")

    assert client.wait("error")["error"]["message"].startswith("Error committing input audio buffer")


def test_a_commit_while_voice_activity_decides_is_an_error(open_session) -> None:
    client = open_session(MODEL)
    client.update(turn_detection=VAD)
    client.send("input_audio_buffer.commit")

    assert client.wait("error")["error"]["code"] == "InternalError"


def test_8_khz_is_understood(open_session) -> None:
    client = open_session(MODEL)
    client.update(turn_detection=None, sample_rate=8000)
    client.append_audio(speak("电话", rate_hz=8000))
    client.send("input_audio_buffer.commit")

    assert client.wait(f"{RESULT}.completed")["transcript"] == "电话"


def test_scripted_transcripts_replace_the_ear(open_session, scenario) -> None:
    scenario(transcripts=["first", "second"])
    client = open_session(MODEL)
    client.update(turn_detection=VAD)
    client.append_audio(say("x" * 10) + pause(600) + say("y" * 10) + pause(600))
    client.send("session.finish")
    client.wait("session.finished")

    assert transcripts(client) == ["first", "second"]


def test_events_of_other_models_and_rubbish_do_not_end_the_session(open_session) -> None:
    client = open_session(MODEL)
    client.send("response.create")
    client.send("input_audio_buffer.append", audio="***")
    client.send("no.such.event")
    client.send("session.finish")
    client.wait("session.finished")

    assert client.kinds == ["session.created", "error", "error", "session.finished"]


@pytest.mark.parametrize("session", [{"sample_rate": 44100}, {"input_audio_format": "opus"}])
def test_a_setting_that_is_not_emulated_is_an_error(open_session, session: dict) -> None:
    client = open_session(MODEL)
    client.send("session.update", session=session)

    assert client.wait("error")["error"]["param"].startswith("session.")

"""Realtime synthesis: both modes, the held-back tail, and a client that speaks while it listens."""

import time

import pytest
import websocket

from emulator.ear import decode_audio, hear
from test.emulator.realtime_client import RealtimeClient

LONG = "今天天气不错，我们去公园吧。"


def test_a_session_is_created_with_the_recorded_fields(open_session) -> None:
    created = open_session().next()

    assert created["type"] == "session.created" and created["event_id"].startswith("event_")
    assert len(created["event_id"]) == len("event_") + 21
    assert created["session"] | {"id": ""} == {
        "object": "realtime.session",
        "mode": "server_commit",
        "model": "qwen3-tts-flash-realtime",
        "voice": "Cherry",
        "response_format": "pcm",
        "sample_rate": 24000,
        "id": "",
    }


def test_an_update_is_echoed_with_the_language_in_lower_case(open_session) -> None:
    session = open_session().update(voice="Serena", sample_rate=16000, language_type="Chinese", mode="commit")

    assert (session["voice"], session["sample_rate"], session["language_type"]) == ("Serena", 16000, "chinese")


def test_server_commit_holds_the_tail_back_until_finish(open_session) -> None:
    client: RealtimeClient = open_session()
    client.append_text(LONG)
    client.wait("response.audio.delta")
    client.wait("response.audio.delta")

    assert client.is_quiet()
    client.send("session.finish")
    client.wait("session.finished")

    assert client.heard() == LONG
    assert client.kinds.count("response.done") == 1


def test_server_commit_without_hold_back_sends_everything_but_does_not_end(open_session, scenario) -> None:
    scenario(tts={"hold_back": False})
    client = open_session()
    client.append_text(LONG)
    while client.heard() != LONG:
        client.wait("response.audio.delta")

    assert client.is_quiet() and "response.done" not in client.kinds


def test_server_commit_waits_for_a_sentence_end(open_session) -> None:
    client = open_session()
    client.next()
    client.append_text("今天天气不错，")

    assert client.is_quiet()


def test_a_commit_in_server_commit_speaks_what_is_buffered_and_the_session_goes_on(open_session) -> None:
    client = open_session()
    client.append_text("没有句号")
    client.send("input_text_buffer.commit")
    assert client.wait("input_text_buffer.committed")["item_id"] == ""
    client.wait("response.done")
    client.append_text("下一句。")
    client.send("session.finish")
    client.wait("session.finished")

    assert client.heard() == "没有句号下一句。"
    assert client.kinds.count("response.created") == 2


def test_each_commit_is_one_response_and_they_are_spoken_in_order(open_session) -> None:
    client = open_session()
    client.update(mode="commit")
    for text in ("one ", "two ", "three"):
        client.append_text(text)
        client.send("input_text_buffer.commit")
    client.send("session.finish")
    client.wait("session.finished")

    assert client.kinds.count("response.done") == 3
    assert client.heard() == "one two three"


def test_strict_commit_drops_what_comes_while_a_response_is_spoken(open_session, scenario) -> None:
    scenario(tts={"strict_commit": True}, latency={"tts_first_audio_ms": 200})
    client = open_session()
    client.update(mode="commit")
    client.append_text("kept")
    client.send("input_text_buffer.commit")
    client.append_text("dropped")
    client.send("input_text_buffer.commit")
    client.wait("response.done")
    client.send("session.finish")
    client.wait("session.finished")

    assert client.heard() == "kept"


def test_usage_counts_a_han_character_twice(open_session) -> None:
    client = open_session()
    client.append_text("你好，hi。")
    client.send("session.finish")

    usage = client.wait("response.done")["response"]["usage"]

    assert usage["characters"] == 2 * 2 + 4
    assert usage["output_tokens_details"]["audio_tokens"] == usage["output_tokens"]


def test_a_commit_without_text_is_an_error_and_the_session_goes_on(open_session) -> None:
    client = open_session()
    client.update(mode="commit")
    client.send("input_text_buffer.commit")

    assert client.wait("error")["error"]["code"] == "invalid_value"
    client.send("session.finish")
    client.wait("session.finished")


def test_an_update_after_text_is_an_error(open_session) -> None:
    client = open_session()
    client.append_text("x")
    client.send("session.update", session={"voice": "Cherry"})

    assert client.wait("error")["error"]["message"].startswith("Session update error:")


@pytest.mark.parametrize("session", [{"mode": "x"}, {"sample_rate": 12345}, {"response_format": "x"}, {"voice": "X"}])
def test_a_wrong_setting_is_an_error(open_session, session: dict) -> None:
    client = open_session()
    client.send("session.update", session=session)

    (value,) = session.values()
    assert str(value) in client.wait("error")["error"]["message"]


@pytest.mark.parametrize("event", [{"type": "no.such"}, {"type": "input_text_buffer.append"}, {}, {"type": 1}])
def test_an_event_that_makes_no_sense_is_an_error_and_the_session_goes_on(open_session, event: dict) -> None:
    client = open_session()
    client.send_object(event)
    client.send("session.finish")
    client.wait("session.finished")

    assert client.kinds == ["session.created", "error", "session.finished"]


def test_clear_forgets_the_buffer(open_session) -> None:
    client = open_session()
    client.append_text("forget me")
    client.send("input_text_buffer.clear")
    client.append_text("Say this.")
    client.send("session.finish")
    client.wait("session.finished")

    assert client.heard() == "Say this."


def test_cancel_ends_the_response_at_once(open_session, scenario) -> None:
    scenario(latency={"tts_speed": 1.0})
    client = open_session()
    client.append_text(LONG * 10)
    client.wait("response.audio.delta")
    client.send("response.cancel")

    assert client.wait("response.done")["response"]["status"] == "cancelled"
    assert client.is_quiet()


def test_text_is_taken_while_audio_streams(open_session, scenario) -> None:
    scenario(latency={"tts_speed": 20.0})
    client = open_session()
    client.append_text(LONG)
    client.wait("response.audio.delta")
    client.append_text(LONG)
    client.wait("response.audio.delta")
    client.append_text("完。")
    client.send("session.finish")
    client.wait("session.finished")

    assert client.heard() == LONG + LONG + "完。"


def test_the_client_leaving_ends_the_session_at_once(open_session, scenario, emulator, key) -> None:
    scenario(latency={"tts_speed": 1.0})
    client = open_session()
    client.append_text(LONG * 20)
    client.wait("response.audio.delta")
    client.close()

    deadline = time.monotonic() + 5
    while not any(entry["kind"] == "closed" for entry in emulator.journal(key)):
        assert time.monotonic() < deadline, "the session did not notice that its client left"
        time.sleep(0.01)


@pytest.mark.parametrize("form", ["wav", "mp3", "opus"])
def test_other_formats_are_one_stream_over_all_deltas(open_session, form: str) -> None:
    client = open_session()
    client.update(response_format=form, mode="commit")
    client.append_text(LONG)
    client.send("input_text_buffer.commit")
    client.wait("response.done")

    pcm, rate_hz = decode_audio(client.pcm)
    assert hear(pcm, rate_hz=rate_hz) == LONG


def test_finish_can_close_the_socket(open_session, scenario) -> None:
    scenario(tts={"finish_closes": True})
    client = open_session()
    client.send("session.finish")

    assert client.read_to_end()[0] == 1000


def test_the_socket_stays_open_after_finished(open_session) -> None:
    client = open_session()
    client.send("session.finish")
    client.wait("session.finished")

    assert client.is_quiet()


def test_a_silent_client_is_closed_after_the_idle_time(open_session, scenario) -> None:
    scenario(tts={"idle_s": 0.2})

    assert open_session().read_to_end()[0] == 1000


def test_an_unknown_model_gets_a_session_and_a_silent_close(open_session) -> None:
    client = open_session("no-such-tts-realtime")

    assert client.read_to_end() == (1000, "") and client.kinds == ["session.created"]


def test_an_unknown_model_can_be_refused_with_1007(open_session, scenario) -> None:
    scenario(tts={"bad_model": "1007"})

    assert open_session("no-such-tts-realtime").read_to_end() == (1007, "Model not found")


@pytest.mark.parametrize("header", [[], ["Authorization: Bearer sk-invalid"], ["Authorization: Basic x"]])
def test_an_upgrade_without_a_good_key_is_refused_with_json(emulator, header: list[str]) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(f"{emulator.websocket_url}/realtime?model=qwen3-tts-flash-realtime", header=header)

    assert refused.value.status_code == 401 and b"InvalidApiKey" in refused.value.resp_body

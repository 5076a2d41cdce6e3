"""Everything that can be made to go wrong, seen from the client's side of the wire."""

import base64
import socket
import time
from urllib.parse import urlsplit

import pytest
import requests
import websocket

from emulator.voice import pcm_to_wav, speak

CHAT = {"model": "qwen-plus", "messages": [{"role": "user", "content": "hi"}], "stream": True}
SPEECH = {"model": "qwen3-tts-flash", "input": {"text": "Hello, world. " * 5, "voice": "Cherry"}}
SSE = {"X-DashScope-SSE": "enable"}


@pytest.fixture
def chat(emulator, http):
    def post(**more):
        return http.post(f"{emulator.compatible_url}/chat/completions", json=CHAT | more, stream=True, timeout=10)

    return post


def frames(answer: requests.Response) -> list[str]:
    return [line.decode() for line in answer.iter_lines() if line]


def native_audio(url: str) -> dict:
    sound = base64.b64encode(pcm_to_wav(speak("hi"), rate_hz=24000)).decode()
    content = [{"audio": f"data:audio/wav;base64,{sound}"}]
    return {"model": "qwen3-asr-flash", "input": {"messages": [{"role": "user", "content": content}]}}


def test_a_fault_strikes_as_often_as_it_says(chat, scenario) -> None:
    scenario(faults=[{"stage": "chat", "kind": "status", "status": 429, "times": 2}])

    assert [chat().status_code for _ in range(3)] == [429, 429, 200]


def test_a_fault_with_times_zero_strikes_always(chat, scenario) -> None:
    scenario(faults=[{"stage": "chat", "kind": "status", "status": 500, "times": 0}])

    assert {chat().status_code for _ in range(4)} == {500}


def test_a_status_carries_the_vendor_code_and_message(chat, scenario) -> None:
    scenario(faults=[{"stage": "chat", "kind": "status", "status": 400, "code": "Arrearage", "message": "pay"}])

    error = chat(stream=False).json()["error"]

    assert (error["code"], error["message"], error["type"]) == ("Arrearage", "pay", "Arrearage")


def test_a_fault_of_one_key_is_not_seen_by_another(emulator, chat, scenario) -> None:
    scenario(faults=[{"stage": "chat", "kind": "status", "status": 500, "times": 0}])

    other = requests.get(f"{emulator.compatible_url}/models", headers={"Authorization": "Bearer sk-other"}, timeout=5)

    assert chat().status_code == 500 and other.status_code == 200


@pytest.mark.parametrize("kind", ["cut", "reset", "close"])
def test_a_stream_is_cut_after_its_number_of_events(chat, scenario, kind: str) -> None:
    scenario(faults=[{"stage": "chat", "kind": kind, "after": 3}])
    received = []

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        received.extend(filter(None, chat().iter_lines()))

    assert len(received) <= 3 and (kind == "reset" or len(received) == 3)


@pytest.mark.parametrize("kind", ["cut", "reset"])
def test_a_line_cut_before_the_answer_is_a_connection_error(chat, scenario, kind: str) -> None:
    scenario(faults=[{"stage": "chat", "kind": kind}])

    with pytest.raises(requests.exceptions.ConnectionError):
        chat()


def test_a_malformed_event_is_not_json_and_the_next_ones_are(chat, scenario) -> None:
    scenario(replies=["abcdef"], faults=[{"stage": "chat", "kind": "malformed", "after": 1}])

    lines = frames(chat())

    broken = [line for line in lines[:-1] if not line.endswith("}")]
    assert broken == [lines[1]] and lines[-1] == "data: [DONE]"


def test_an_event_is_sent_twice(chat, scenario) -> None:
    scenario(replies=["abcdef"], faults=[{"stage": "chat", "kind": "duplicate", "after": 2}])

    lines = frames(chat())

    assert lines[2] == lines[3] and len(set(lines)) == len(lines) - 1


def test_a_delay_comes_before_the_first_byte(chat, scenario) -> None:
    scenario(faults=[{"stage": "chat", "kind": "delay", "delay_ms": 200}])
    began = time.monotonic()

    answer = chat()

    assert time.monotonic() - began >= 0.2 and frames(answer)[-1] == "data: [DONE]"


@pytest.mark.parametrize("after", [0, 3])
def test_a_stall_ends_when_the_client_leaves(emulator, key, chat, scenario, after: int) -> None:
    scenario(faults=[{"stage": "chat", "kind": "stall", "after": after}])
    port = urlsplit(emulator.url).port
    body = b'{"model":"qwen-plus","stream":true,"messages":[{"role":"user","content":"hi"}]}'
    head = f"POST /compatible-mode/v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        wait_for(lambda: any(e["kind"] == "fault" for e in emulator.journal(key)))

    wait_for(lambda: emulator.journal(key)[-1]["kind"] in {"dropped", "gone"})
    assert chat(stream=False).status_code == 200


def wait_for(condition) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_a_native_error_in_mid_stream_is_an_error_event(emulator, http, scenario) -> None:
    scenario(faults=[{"stage": "tts_http", "kind": "error_event", "after": 1, "status": 500, "code": "InternalError"}])

    url = f"{emulator.native_url}/services/aigc/multimodal-generation/generation"
    text = http.post(url, json=SPEECH, headers=SSE, timeout=10).text

    assert "event:error\n:HTTP_STATUS/500\n" in text and '"code":"InternalError"' in text
    assert text.count("event:result") == 1


@pytest.mark.parametrize(("stage", "make"), [("tts_http", lambda url: SPEECH), ("asr", native_audio)])
def test_native_stages_refuse_with_the_native_form(emulator, http, scenario, stage: str, make) -> None:
    scenario(faults=[{"stage": stage, "kind": "status", "status": 429}])

    url = f"{emulator.native_url}/services/aigc/multimodal-generation/generation"
    answer = http.post(url, json=make(url), timeout=10)

    assert answer.status_code == 429 and answer.json()["code"] == "Throttling.RateQuota"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_whole_answer_can_be_broken_json(emulator, http, scenario) -> None:
    scenario(faults=[{"stage": "asr", "kind": "malformed"}])
    url = f"{emulator.native_url}/services/aigc/multimodal-generation/generation"

    answer = http.post(url, json=native_audio(url), timeout=10)

    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_the_upgrade_of_a_realtime_session_can_be_refused(emulator, key, scenario) -> None:
    scenario(faults=[{"stage": "tts", "kind": "status", "status": 403, "code": "AccessDenied"}])

    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(
            f"{emulator.websocket_url}/realtime?model=qwen3-tts-flash-realtime", header=[f"Authorization: Bearer {key}"]
        )

    assert refused.value.status_code == 403


def test_realtime_audio_closes_with_a_code_after_two_deltas(open_session, scenario) -> None:
    fault = {"stage": "tts", "kind": "close", "after": 2, "close_code": 1011, "reason": "Too many requests."}
    scenario(faults=[fault])
    client = open_session()
    client.append_text("A long enough sentence to need many deltas. ")
    client.send("session.finish")

    assert client.read_to_end() == (1011, "Too many requests.")
    assert client.kinds.count("response.audio.delta") == 2


@pytest.mark.parametrize("kind", ["cut", "reset"])
def test_realtime_audio_is_cut_without_a_word(open_session, scenario, kind: str) -> None:
    scenario(faults=[{"stage": "tts", "kind": kind, "after": 1}])
    client = open_session()
    client.append_text("A sentence that is long enough to be spoken before the next one comes. ")

    assert client.read_to_end() == (0, "") and "response.done" not in client.kinds


def test_realtime_audio_can_come_twice(open_session, scenario) -> None:
    scenario(faults=[{"stage": "tts", "kind": "duplicate", "after": 1}])
    client = open_session()
    client.append_text("abcdefghijklmnopqrst.")
    client.send("session.finish")
    client.wait("session.finished")

    deltas = [event["delta"] for event in client.events if event["type"] == "response.audio.delta"]
    assert deltas[1] == deltas[2]


def test_a_realtime_response_can_end_in_an_error_and_the_next_is_fine(open_session, scenario) -> None:
    scenario(faults=[{"stage": "tts", "kind": "error_event", "after": 1, "code": "InternalError", "message": "oh"}])
    client = open_session()
    client.update(mode="commit")
    client.append_text("abcdefghijklmnopqrst")
    client.send("input_text_buffer.commit")
    assert client.wait("error")["error"] == {"code": "InternalError", "message": "oh"}
    before = len(client.pcm)
    client.append_text("fine")
    client.send("input_text_buffer.commit")
    client.wait("response.done")

    assert len(client.pcm) > before


def test_a_realtime_stall_stays_silent_until_the_client_leaves(open_session, scenario, emulator, key) -> None:
    scenario(faults=[{"stage": "tts", "kind": "stall", "after": 1}])
    client = open_session()
    client.append_text("abcdefghijklmnopqrst.")
    client.send("session.finish")
    client.wait("response.audio.delta")
    assert client.is_quiet()
    client.close()

    wait_for(lambda: any(entry["kind"] == "closed" for entry in emulator.journal(key)))


def test_a_realtime_transcript_can_be_lost_to_an_error(open_session, scenario) -> None:
    scenario(transcripts=["x"], faults=[{"stage": "asr_realtime", "kind": "error_event", "code": "InternalError"}])
    client = open_session("qwen3-asr-flash-realtime")
    client.append_audio(speak("hi", rate_hz=16000))
    client.send("session.finish")

    assert client.wait("error")["error"]["code"] == "InternalError"


def test_what_the_client_says_during_a_delay_is_not_lost(open_session, scenario) -> None:
    scenario(faults=[{"stage": "tts", "kind": "delay", "delay_ms": 200}])
    client = open_session()
    client.append_text("First sentence. ")
    client.wait("response.content_part.added")
    client.append_text("Second sentence.")
    client.send("session.finish")
    client.wait("session.finished")

    assert client.heard() == "First sentence. Second sentence."

"""Starting and stopping: lines are kept, and nothing is left behind."""

import threading

import pytest
import requests
import websocket

from emulator import start

KEY = {"Authorization": "Bearer sk-server"}
CHAT = {"model": "qwen-plus", "messages": [{"role": "user", "content": "hi"}]}


def test_stop_leaves_no_thread_even_with_stalled_clients() -> None:
    before = set(threading.enumerate())
    emulator = start()
    emulator.set_scenario("sk-server", {"faults": [{"stage": "chat", "kind": "stall", "times": 0}]})
    asking = threading.Thread(target=ask, args=(emulator.compatible_url,))
    asking.start()
    url = f"{emulator.websocket_url}/realtime?model=qwen3-tts-flash-realtime"
    session = websocket.create_connection(url, header=KEY, timeout=5)
    session.recv()

    emulator.stop()

    asking.join(5)
    session.close()
    assert set(threading.enumerate()) <= before


def ask(url: str) -> None:
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.post(f"{url}/chat/completions", json=CHAT, headers=KEY, timeout=10)


def test_stop_may_be_called_twice() -> None:
    emulator = start()

    emulator.stop()
    emulator.stop()

    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(emulator.native_url, timeout=5)


def test_a_line_is_kept_for_the_next_request(emulator) -> None:
    with requests.Session() as session:
        first = session.post(f"{emulator.compatible_url}/chat/completions", json=CHAT, headers=KEY, stream=True)
        line = first.raw.connection.sock if first.raw.connection else None
        port = line.getsockname()[1] if line else None
        assert first.json()
        second = session.post(f"{emulator.compatible_url}/chat/completions", json=CHAT, headers=KEY, stream=True)
        assert second.raw.connection.sock.getsockname()[1] == port
        second.close()


def test_a_line_is_kept_after_a_refusal_with_a_body(emulator) -> None:
    with requests.Session() as session:
        refused = session.post(f"{emulator.compatible_url}/chat/completions", json=CHAT)
        accepted = session.post(f"{emulator.compatible_url}/chat/completions", json=CHAT, headers=KEY)

    assert (refused.status_code, accepted.status_code) == (401, 200)


def test_deflate_is_never_negotiated(emulator) -> None:
    header = {**KEY, "Sec-WebSocket-Extensions": "permessage-deflate"}
    url = f"{emulator.websocket_url}/realtime?model=qwen3-tts-flash-realtime"
    session = websocket.create_connection(url, header=header, timeout=5)

    assert "sec-websocket-extensions" not in session.getheaders()
    session.close()


@pytest.mark.parametrize("path", ["/no/such/path", "/api/v1/nothing"])
def test_an_unknown_path_is_a_json_404(emulator, path: str) -> None:
    answer = requests.get(emulator.url + path, headers=KEY, timeout=5)

    assert answer.status_code == 404 and answer.json()["code"] == "NotFound"


def test_a_wrong_method_is_refused(emulator) -> None:
    answer = requests.get(f"{emulator.compatible_url}/chat/completions", headers=KEY, timeout=5)

    assert "Request method 'GET' is not supported." in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", ["bass", ""])
def test_an_unknown_voice_or_ear_stops_the_start(name: str) -> None:
    with pytest.raises(ValueError, match="unknown voice"):
        start(voice=name)
    with pytest.raises(ValueError, match="unknown ear"):
        start(ear=name)

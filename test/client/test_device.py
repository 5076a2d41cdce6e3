"""A device on a real socket, before a server that says exactly what the test wants."""

from collections.abc import Callable
from typing import Any

import pytest

from client.device import Device, DeviceError
from client.turn import Options
from client.upload import Link

Serve = Callable[[Callable[[Any], None]], str]
RECORDING = bytes(range(256)) * 40


def test_a_turn_is_held_from_the_first_packet_to_the_last_event(serve_script: Serve, mp3_frame: bytes) -> None:
    heard: list[Any] = []

    def script(peer: Any) -> None:
        heard.append(peer.collect())
        peer.answer(mp3_frame * 2, mp3_frame)
        peer.receive()

    with Device(serve_script(script)) as device:
        result = device.turn(RECORDING, packet_bytes=1000)

    assert result.is_ok
    assert b"".join(heard[0][seq] for seq in sorted(heard[0])) == RECORDING
    assert (result.transcript, result.answer, result.sound) == ("你好", "您好。", mp3_frame * 3)
    assert (result.packets, result.acked, result.stray_bytes) == (11, 11, 0)


def test_several_turns_are_held_on_one_connection(serve_script: Serve, mp3_frame: bytes) -> None:
    def script(peer: Any) -> None:
        while peer.collect():
            peer.answer(mp3_frame)

    with Device(serve_script(script)) as device:
        results = [device.turn(b"abc") for _ in range(3)]

    assert [result.is_ok for result in results] == [True, True, True]


def test_start_is_sent_before_the_first_packet_and_its_answer_awaited(serve_script: Serve) -> None:
    seen: list[Any] = []

    def script(peer: Any) -> None:
        seen.append(peer.receive())
        peer.send("ready", codec="pcm", sample_rate=16000, binary=True)
        seen.extend([peer.receive(), peer.receive()])
        peer.begin_answer()
        peer.send_binary(bytes(3200))
        peer.complete()
        peer.receive()

    with Device(serve_script(script), start={"codec": "pcm", "binary": True}) as device:
        result = device.turn(b"abc", live=True)

    assert seen == [{"type": "start", "codec": "pcm", "binary": True}, b"abc", {"type": "end"}]
    assert (result.sound_bytes, result.sound_ms) == (3200, 100.0)


def test_lost_packets_are_sent_again(serve_script: Serve, mp3_frame: bytes) -> None:
    def script(peer: Any) -> None:
        first = peer.receive()
        peer.send("error", message="缺", code="missing_packets", missing=list(range(2, first["total"] + 1)))
        for _ in range(first["total"] - 1):
            peer.receive()
        peer.answer(mp3_frame)
        peer.receive()

    with Device(serve_script(script), options=Options(link=Link(loss=1.0))) as device:
        result = device.turn(RECORDING, packet_bytes=2048)

    assert (result.is_ok, result.resent) == (True, 4)


def test_talking_into_an_answer_gives_each_turn_its_own_events(serve_script: Serve, mp3_frame: bytes) -> None:
    def script(peer: Any) -> None:
        peer.collect()
        peer.begin_answer(transcript="一")
        peer.send_sound(mp3_frame)
        peer.collect()
        peer.send("audio_stream", event="finished")
        peer.complete(interrupted=True)
        peer.answer(mp3_frame * 2)
        peer.receive()

    with Device(serve_script(script)) as device:
        first = device.begin(b"one")
        device.wait(lambda: first.sound_bytes > 0, timeout_s=10)
        second = device.begin(b"two")
        device.wait(lambda: first.is_over and second.is_over, timeout_s=10)

    assert (first.result().transcript, first.result().interrupted, first.result().acked) == ("一", True, 1)
    assert (second.result().transcript, second.result().interrupted, second.result().acked) == ("你好", False, 1)


def test_a_slow_reader_reads_slowly_and_loses_nothing(serve_script: Serve, mp3_frame: bytes) -> None:
    def script(peer: Any) -> None:
        peer.collect()
        peer.answer(*[mp3_frame * 10] * 20)
        peer.receive()

    with Device(serve_script(script), options=Options(link=Link(read_bytes_per_s=200_000))) as device:
        result = device.turn(b"abc")

    assert result.sound == mp3_frame * 200
    assert result.end_ms is not None
    assert result.end_ms > 1000 * 192 * 200 / 200_000


def test_a_ping_is_answered(serve_script: Serve, mp3_frame: bytes) -> None:
    def script(peer: Any) -> None:
        peer.collect()
        peer.ping()
        peer.answer(mp3_frame)
        peer.receive()

    with Device(serve_script(script)) as device:
        assert device.turn(b"abc").is_ok


def test_a_connection_that_ends_in_mid_turn_is_told_in_the_result(serve_script: Serve) -> None:
    def script(peer: Any) -> None:
        peer.collect()
        peer.begin_answer()

    with Device(serve_script(script)) as device:
        result = device.turn(b"abc")

    assert (result.transcript, result.completed) == ("你好", False)
    assert result.failure == "The server went away without saying goodbye."


def test_words_before_a_goodbye_are_heard(serve_script: Serve) -> None:
    def script(peer: Any) -> None:
        peer.send("error", message="连接太多", code="too_many_sessions")
        peer.close(1013)

    with Device(serve_script(script)) as device:
        result = device.turn(b"abc")

    assert result.failure in (
        "The server refused the upload: 连接太多",
        "The server closed the connection: 1013 busy.",
    )


def test_what_is_no_event_ends_the_connection_with_a_sentence(serve_script: Serve) -> None:
    def script(peer: Any) -> None:
        peer.collect()
        peer.send_text("[]")
        peer.receive()

    with Device(serve_script(script)) as device:
        result = device.turn(b"abc")

    assert result.failure == "The server sent something that is no event: not an event: []."


@pytest.mark.parametrize("url", ["ws://127.0.0.1:9/", "http://127.0.0.1/", "ws://"])
def test_an_address_without_a_server_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(DeviceError, match=r"No connection to|is not a WebSocket address"), Device(url):
        pass


def test_the_key_travels_as_a_bearer_token(serve_script: Serve, mp3_frame: bytes) -> None:
    seen: list[str] = []

    def script(peer: Any) -> None:
        seen.append(peer.headers["authorization"])
        peer.collect()
        peer.answer(mp3_frame)
        peer.receive()

    with Device(serve_script(script), key="sk-1") as device:
        assert device.turn(b"abc").is_ok

    assert (device.session_id, seen) == ("s-1", ["Bearer sk-1"])

"""The first known fault of the system this one grew from: long answers lost sound. Never again."""

import threading
import time
from collections.abc import Callable

import pytest

from test.support.device import TestDevice, packets, spoken_wav
from test.support.servers import RunningServer

SENTENCES = [
    f"第{number:04d}句话说完了。".translate(str.maketrans("0123456789", "零一二三四五六七八九"))
    for number in range(900)
]
"""At the emulator's 180 ms for a Han character: more than half an hour of sound."""


def test_a_half_hour_answer_to_a_slow_reader_arrives_complete_to_the_character(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], scenario: Callable[..., None]
) -> None:
    story = "".join(SENTENCES)
    scenario(replies=[story], latency={"chat_token_chars": 200})
    device = connect(serve(), sockopt=[(1, 8, 65_536)])  # SOL_SOCKET, SO_RCVBUF: the device's own small buffer
    pauses = threading.Event()
    device.send(*packets(spoken_wav("讲一个很长的故事")))

    while "audio_complete" not in (message := device.receive()):
        if len(device.messages) % 50 == 0:
            pauses.wait(0.02)

    assert message["audio_complete"]["tts_success"]
    assert device.heard() == story


def test_sound_is_sent_at_most_the_asked_lead_ahead_of_playing(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], scenario: Callable[..., None]
) -> None:
    scenario(replies=["这是一句用来测量的话。"])
    device = connect(serve())
    device.send({"type": "start", "codec": "pcm", "max_lead_ms": 500}, *packets(spoken_wav("测量")))
    device.until("tts_started")

    began, ahead_s = time.monotonic(), []
    while "finished" not in str(device.receive().get("audio_stream", "")):
        ahead_s.append(len(device.sound) / 48_000 - (time.monotonic() - began))

    assert len(device.sound) / 48_000 > 1.5
    assert max(ahead_s) < 0.5 + 0.45  # the lead, and one message of at most 400 ms


@pytest.mark.parametrize("delta_ms", [20, 306])
def test_sound_is_batched_into_few_messages(
    serve: Callable[..., RunningServer],
    connect: Callable[..., TestDevice],
    scenario: Callable[..., None],
    delta_ms: int,
) -> None:
    scenario(replies=["这是一句比较长的话，用来数一数有多少条消息。"], latency={"tts_delta_ms": delta_ms})
    device = connect(serve())

    device.turn(spoken_wav("数一数"))

    seconds = len(device.sound) / 8000
    messages = [body for body in device.bodies("audio_stream") if body["event"] == "data"]
    assert len(messages) <= seconds / 0.16 + 6


def test_every_message_is_whole_mp3_frames(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    import base64

    from protocol.media import mp3_frame_bytes

    device = connect(serve())

    device.turn(spoken_wav("你好"))

    for body in device.bodies("audio_stream")[:-1]:
        data, at = base64.b64decode(body["data"]), 0
        while at < len(data):
            size = mp3_frame_bytes(data[at : at + 4])
            assert size
            at += size
        assert at == len(data)

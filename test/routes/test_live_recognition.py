"""Recognition that runs while the packets arrive, and the slower families of models."""

import threading
from collections.abc import Callable

import pytest

from emulator import Emulator
from protocol.media import wav_header
from test.support.device import TestDevice, packets, spoken_wav
from test.support.servers import RunningServer
from test.support.waiting import eventually

QUESTION = "今天天气怎么样？"
REALTIME = "qwen3-asr-flash-realtime"


def live_packets(data: bytes) -> list[dict[str, object]]:
    return [{"seq": packet["seq"], "data": packet["data"]} for packet in packets(data)]


@pytest.mark.parametrize(
    "model", [REALTIME, "qwen3-asr-flash", "paraformer-v2", "fun-asr", "qwen3-asr-flash-filetrans"]
)
def test_every_family_of_recognisers_hears_the_question(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], model: str
) -> None:
    device = connect(serve(asr_model=model))

    complete = device.turn(spoken_wav(QUESTION))

    assert complete["transcription_text"] == QUESTION
    assert complete["duration"] == pytest.approx((len(spoken_wav(QUESTION)) - 44) / 32_000, abs=0.1)


def test_sound_reaches_the_recogniser_before_the_last_packet_is_sent(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], emulator: Emulator, key: str
) -> None:
    device = connect(serve(asr_model=REALTIME))
    *most, last = live_packets(spoken_wav(QUESTION))
    device.send(*most)

    eventually(lambda: "input_audio_buffer.append" in str(emulator.journal(key)))
    complete = device.turn([last, {"type": "end"}])

    assert complete["transcription_text"] == QUESTION


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 24_000])
def test_bare_pcm_that_was_declared_is_heard_live(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], rate_hz: int
) -> None:
    device = connect(serve(asr_model=REALTIME))
    pcm = spoken_wav(QUESTION, rate_hz=rate_hz)[44:]
    device.send({"type": "start", "binary": True, "input": {"format": "pcm", "sample_rate": rate_hz}})

    complete = device.turn([*(pcm[at : at + 4000] for at in range(0, len(pcm), 4000)), {"type": "end"}])

    assert complete["transcription_text"] == QUESTION


def test_a_live_recognition_that_breaks_is_done_again_from_the_whole_recording(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], scenario: Callable[..., None]
) -> None:
    scenario(faults=[{"stage": "asr_realtime", "kind": "reset", "after": 1, "times": 1}])
    device = connect(serve(asr_model=REALTIME))

    complete = device.turn([*live_packets(spoken_wav(QUESTION)), {"type": "end"}])

    assert complete["transcription_text"] == QUESTION and not device.bodies("error")


def test_packets_out_of_order_are_recognised_in_order(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    device = connect(serve(asr_model=REALTIME))

    complete = device.turn(list(reversed(packets(spoken_wav(QUESTION)))))

    assert complete["transcription_text"] == QUESTION


@pytest.mark.parametrize("model", [REALTIME, "qwen3-asr-flash"])
def test_a_recording_longer_than_allowed_is_named(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], model: str
) -> None:
    device = connect(serve(asr_model=model, max_utterance_s=1.0))
    silence = bytes(64_000)

    complete = device.turn(wav_header(pcm_bytes=len(silence), rate_hz=16_000) + silence)

    assert [error["code"] for error in device.bodies("error")] == ["too_large"]
    assert not complete["transcription_success"]


def test_a_dropped_live_upload_leaves_no_connection_behind(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    device = connect(serve(asr_model=REALTIME))
    device.send(*live_packets(spoken_wav(QUESTION))[:3])
    device.until("packet_ack", lambda ack: ack["seq"] == 3)

    device.send({"type": "cancel"})

    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name.endswith("-asr")])
    assert device.turn(spoken_wav(QUESTION))["transcription_success"]

"""What a device declares of itself is honoured or refused."""

from collections.abc import Callable

import pytest

from emulator import Emulator
from protocol.media import wav_header
from test.support.device import TestDevice, heard_in, packets, spoken_wav
from test.support.servers import RunningServer

ANSWER = "今天晴，最高二十度。"


@pytest.fixture
def device(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], scenario: Callable[..., None]
) -> TestDevice:
    scenario(replies=[ANSWER])
    return connect(serve())


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 24_000, 48_000])
def test_pcm_is_sent_at_the_asked_rate(device: TestDevice, rate_hz: int) -> None:
    device.send({"type": "start", "codec": "pcm", "sample_rate": rate_hz})

    device.turn(spoken_wav("你好"))

    pcm = bytes(device.sound)
    assert heard_in(wav_header(pcm_bytes=len(pcm), rate_hz=rate_hz) + pcm) == ANSWER


def test_binary_sound_is_the_same_sound(device: TestDevice) -> None:
    device.turn(spoken_wav("你好"))
    in_text = bytes(device.sound)
    device.send({"type": "start", "binary": True})

    device.turn(spoken_wav("你好"))

    assert bytes(device.sound) == in_text


def test_full_response_and_timings_are_as_asked(device: TestDevice) -> None:
    device.send({"type": "start", "full_response": False, "timings": True})

    device.turn(spoken_wav("你好"))

    [timings] = device.bodies("timings")
    assert all(list(chunk) == ["chunk"] for chunk in device.bodies("chat_chunk"))
    assert {"asr", "first_token", "first_sentence", "tts_connect", "first_pcm", "first_sent", "end"} <= set(
        timings["stages"]
    )


def test_the_asked_voice_speaks(device: TestDevice, emulator: Emulator, key: str) -> None:
    device.send({"type": "start", "voice": "Ethan"})

    device.turn(spoken_wav("你好"))

    assert device.bodies("ready")[0]["voice"] == "Ethan"
    assert [event["voice"] for event in emulator.journal(key) if event.get("voice")] == ["Ethan"]


def test_start_while_something_runs_is_refused_and_disturbs_nothing(device: TestDevice) -> None:
    parts = packets(spoken_wav("你好"))
    device.send(parts[0], {"type": "start", "codec": "pcm"})

    error = device.until("error")
    complete = device.turn(parts[1:])

    assert error["code"] == "invalid_message" and complete["transcription_text"] == "你好"


def test_mp3_at_another_rate_is_refused_by_name(device: TestDevice) -> None:
    device.send({"type": "start", "sample_rate": 8000})

    assert device.until("error")["param"] == "sample_rate"


def test_replies_are_kept_as_files_when_the_operator_asks(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], scenario: Callable[..., None], tmp_path
) -> None:
    scenario(replies=[ANSWER])
    device = connect(serve(tts_output_dir=tmp_path / "replies"))

    device.turn(spoken_wav("你好"))

    [kept] = (tmp_path / "replies").iterdir()
    assert kept.read_bytes() == bytes(device.sound)


def test_a_folder_that_cannot_be_written_costs_only_the_copy(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], scenario: Callable[..., None], tmp_path
) -> None:
    scenario(replies=[ANSWER])
    server = serve(tts_output_dir=tmp_path / "replies")
    (tmp_path / "replies").rmdir()
    device = connect(server)

    complete = device.turn(spoken_wav("你好"))

    assert complete["tts_success"] and device.heard() == ANSWER

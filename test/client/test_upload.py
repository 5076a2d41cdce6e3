import base64
import io
import json
import wave

import pytest

from client.upload import cut, seconds_of


def _wav(seconds: float) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setparams((1, 2, 16000, 0, "NONE", ""))
        sound.writeframes(bytes(int(seconds * 32000)))
    return buffer.getvalue()


def test_packets_carry_their_number_the_total_and_base64_of_their_own() -> None:
    upload = cut(b"abcdefg", packet_bytes=3)

    messages = [json.loads(packet) for packet in upload.packets]
    assert [(m["seq"], m["total"], base64.b64decode(m["data"])) for m in messages] == [
        (1, 3, b"abc"),
        (2, 3, b"def"),
        (3, 3, b"g"),
    ]
    assert upload.end == ""


def test_a_live_upload_takes_as_long_as_its_sound_and_is_closed_by_end() -> None:
    upload = cut(_wav(1.5), packet_bytes=3000, live=True)

    assert upload.interval_s * len(upload.packets) == pytest.approx(1.5)
    assert "total" not in json.loads(upload.packets[0])
    assert json.loads(upload.end) == {"type": "end", "total": len(upload.packets)}


def test_binary_packets_are_the_bare_bytes() -> None:
    upload = cut(b"abcdefg", packet_bytes=4, binary=True)

    assert (upload.packets, json.loads(upload.end)) == ((b"abcd", b"efg"), {"type": "end"})


@pytest.mark.parametrize("data", [b"", b"RIFF", b"RIFF\x00\x00\x00\x00WAVE", b"OggS" + bytes(40)])
def test_what_is_neither_wav_nor_mp3_lasts_zero_seconds(data: bytes) -> None:
    assert seconds_of(data) == 0.0

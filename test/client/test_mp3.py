import lameenc
import pytest

from client.mp3 import Mp3Meter, duration_s, parse_header


def _mp3(seconds: float, *, rate_hz: int, kbps: int) -> bytes:
    encoder = lameenc.Encoder()
    encoder.set_in_sample_rate(rate_hz)
    encoder.set_out_sample_rate(rate_hz)
    encoder.set_channels(1)
    encoder.set_bit_rate(kbps)
    encoder.set_quality(7)
    encoder.silence()
    return bytes(encoder.encode(bytes(2 * int(seconds * rate_hz))) + encoder.flush())


@pytest.mark.parametrize(("rate_hz", "kbps"), [(8000, 16), (16000, 32), (24000, 64), (44100, 128), (48000, 64)])
def test_the_headers_tell_how_long_an_encoder_made_it(rate_hz: int, kbps: int) -> None:
    data = _mp3(2.0, rate_hz=rate_hz, kbps=kbps)

    assert duration_s(data) == pytest.approx(2.0, abs=0.2)


@pytest.mark.parametrize("size", [1, 7, 191, 192, 193, 5000])
def test_the_cut_into_pieces_makes_no_difference(size: int) -> None:
    data, meter = _mp3(1.0, rate_hz=24000, kbps=64), Mp3Meter()

    for at in range(0, len(data), size):
        meter.feed(data[at : at + size])

    assert (meter.duration_s, meter.stray_bytes, meter.pending_bytes) == (duration_s(data), 0, 0)


def test_bytes_between_frames_are_counted_as_stray(mp3_frame: bytes) -> None:
    meter = Mp3Meter()

    meter.feed(mp3_frame + b"rubbish" + mp3_frame)

    assert (meter.frames, meter.stray_bytes) == (2, 7)


def test_half_a_frame_stays_pending(mp3_frame: bytes) -> None:
    meter = Mp3Meter()

    played_s = meter.feed(mp3_frame[:100])

    assert (played_s, meter.pending_bytes) == (0.0, 100)


@pytest.mark.parametrize(
    "header", [b"RIFF", b"\xff\xff\xff\xff", b"\xff\xf1\x50\x80", b"\xff\xf3\x04\xc4", b"\xff\xf3\x8c\xc4"]
)
def test_what_is_no_layer_three_header_is_refused(header: bytes) -> None:
    assert parse_header(header) is None


def test_a_leading_tag_is_passed_over(mp3_frame: bytes) -> None:
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 0, 20]) + b"\xff\xf3\x84\xc4" * 5

    assert duration_s(tag + mp3_frame) == pytest.approx(0.024)

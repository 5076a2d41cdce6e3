"""Plain sounds, and what is heard in them."""

import math
import struct

import numpy as np


def tone(seconds: float, rate_hz: int, *, hz: float = 440) -> bytes:
    samples = (int(8000 * math.sin(n * hz * 2 * math.pi / rate_hz)) for n in range(int(seconds * rate_hz)))
    return b"".join(struct.pack("<h", sample) for sample in samples)


def loudest_hz(pcm: bytes, rate_hz: int) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(float)
    strengths = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(strengths)) * rate_hz / len(samples)

"""Faster or slower speech at the same pitch, on the stream.

Shape: PCM is s16le mono, any chunk length.  Threads: one owner.
"""

import itertools
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.filter import Graph
from av.filter.context import FilterContext

_LEAST, _MOST = 0.5, 2.0
"""One stage of FFmpeg's `atempo` keeps every sample's sound within these; beyond, it would drop some."""


class Tempo:
    """A time stretch by `speed` (2 = half as long). Invariant: nothing is lost between `feed` and `finish`."""

    def __init__(self, *, rate_hz: int, speed: float) -> None:
        self._rate_hz, self._samples = rate_hz, 0
        self._graph = Graph() if speed != 1 else None
        if self._graph:
            self._source, self._sink = _build(self._graph, rate_hz=rate_hz, speed=speed)

    def feed(self, pcm: bytes) -> bytes:
        if self._graph is None or not pcm:
            return pcm
        frame = AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
        frame.sample_rate, frame.time_base, frame.pts = self._rate_hz, Fraction(1, self._rate_hz), self._samples
        frame.planes[0].update(pcm)
        self._samples += frame.samples
        self._source.push(frame)
        return self._pulled()

    def finish(self) -> bytes:
        if self._graph is None or not self._samples:
            return b""
        self._source.push(None)
        return self._pulled()

    def _pulled(self) -> bytes:
        pieces = []
        while (frame := self._next()) is not None:
            pieces.append(bytes(frame.planes[0])[: frame.samples * 2])
        return b"".join(pieces)

    def _next(self) -> AudioFrame | None:
        try:
            frame = self._sink.pull()
        except (av.BlockingIOError, av.EOFError):  # it wants more, or there is no more
            return None
        assert isinstance(frame, AudioFrame)
        return frame


def _build(graph: Graph, *, rate_hz: int, speed: float) -> tuple[FilterContext, FilterContext]:
    source = graph.add_abuffer(sample_rate=rate_hz, format="s16", layout="mono", time_base=Fraction(1, rate_hz))
    stages = [graph.add("atempo", f"{factor:.9f}") for factor in _factors(speed)]
    chain = [source, *stages, graph.add("abuffersink")]
    for first, second in itertools.pairwise(chain):
        first.link_to(second)
    graph.configure()
    return source, chain[-1]


def _factors(speed: float) -> list[float]:
    """Return factors that one stage can do each, whose product is the speed."""
    factors = []
    while not _LEAST <= speed <= _MOST:
        step = _MOST if speed > _MOST else _LEAST
        factors.append(step)
        speed /= step
    return [*factors, speed]

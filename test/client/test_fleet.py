import math
from collections.abc import Callable
from typing import Any

import pytest

from client import fleet
from client.device import DeviceError

Serve = Callable[[Callable[[Any], None]], str]


def test_every_device_holds_every_turn(serve_script: Serve, mp3_frame: bytes) -> None:
    def script(peer: Any) -> None:
        while peer.collect():
            peer.answer(*[mp3_frame] * 5)

    result = fleet.run(8, serve_script(script), data=bytes(5000), repeat=3, stagger_ms=2)

    assert result.is_ok
    assert (len(result.turns), result.first_audio.count, result.sound_s) == (24, 24, pytest.approx(24 * 5 * 0.024))
    assert {turn.sound_sha256 for turn in result.turns} == {result.turns[0].sound_sha256}
    assert all(not turn.sound and not turn.events for turn in result.turns)


def test_a_device_that_fails_is_counted_with_its_reason(serve_script: Serve, mp3_frame: bytes) -> None:
    def script(peer: Any) -> None:
        peer.collect()

    result = fleet.run(3, serve_script(script), data=b"abc", repeat=2)

    assert result.failures == {"The server went away without saying goodbye.": 3}


def test_a_fleet_that_cannot_connect_says_so() -> None:
    with pytest.raises(DeviceError, match="Is the server running"):
        fleet.run(2, "ws://127.0.0.1:9/", data=b"abc")


def test_percentiles_are_values_that_were_measured() -> None:
    spread = fleet.spread([None, *map(float, range(1, 101))])

    assert (spread.count, spread.p50, spread.p95, spread.p99, spread.worst) == (100, 50, 95, 99, 100)


def test_no_values_give_no_percentiles() -> None:
    assert math.isnan(fleet.spread([]).p50)

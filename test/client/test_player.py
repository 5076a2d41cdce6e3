import pytest

from client.player import Player


def test_sound_that_comes_in_time_plays_without_a_gap() -> None:
    player = Player()

    for at_s in (0.0, 0.5, 1.5):
        player.add(1.0, at_s=at_s)

    assert player.playback().gaps == 0


def test_sound_that_comes_late_leaves_a_gap_as_long_as_it_is_late() -> None:
    player = Player()

    player.add(1.0, at_s=0.0)
    player.add(1.0, at_s=1.25)
    player.add(1.0, at_s=2.35)

    playback = player.playback()
    assert (playback.gaps, playback.gap_ms, playback.longest_gap_ms) == (2, pytest.approx(350), pytest.approx(250))


def test_a_pause_of_five_milliseconds_is_not_heard() -> None:
    player = Player()

    player.add(1.0, at_s=0.0)
    player.add(1.0, at_s=1.004)

    assert player.playback().gaps == 0


def test_sound_beyond_the_buffer_is_told_as_overflow() -> None:
    player = Player(buffer_s=2.0)

    player.add(1.5, at_s=0.0)
    player.add(1.5, at_s=0.5)

    playback = player.playback()
    assert (playback.peak_lead_ms, playback.overflow_ms) == (pytest.approx(2500), pytest.approx(500))

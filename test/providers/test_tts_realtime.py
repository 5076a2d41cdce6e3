"""An answer spoken over one connection: complete, in order, and always known how far it has come."""

import threading
from collections.abc import Callable, Iterator

import pytest

from emulator import Emulator
from protocol.errors import UpstreamBroken, UpstreamBusy, UpstreamError, UpstreamTimeout
from protocol.keys import ApiKey
from providers.dashscope.tts_realtime import RealtimeSpeech, RealtimeSynthesiser
from services.flow import CancelToken
from services.ports import PLAIN, Manner, Sound, Usage
from test.providers.calls import HASTY_S, PATIENT_S, Feed, Vendor, heard_in
from test.providers.vendor import Line
from test.providers.vendor import Vendor as ScriptedVendor
from test.support.waiting import eventually

Script = Callable[[Callable[[Line], None]], ScriptedVendor]
Scenario = Callable[..., None]
SEGMENTS = ("今天晴，", "最高二十度。", "Bring a hat!", "出门记得戴帽子。")


@pytest.fixture
def speech(vendor: Vendor, api_key: ApiKey, cancel: CancelToken) -> Iterator[RealtimeSpeech]:
    opened = vendor.realtime_voice().open(voice="Cherry", key=api_key, cancel=cancel)
    yield opened
    opened.close()


def until_spoken(sounds: Iterator[Sound], count: int) -> list[Sound]:
    """Take sounds up to the one with which `count` segments are complete."""
    taken = [next(sounds)]
    while taken[-1].spoken < count:
        taken.append(next(sounds))
    return taken


def test_every_segment_is_spoken_to_the_character(speech: RealtimeSpeech) -> None:
    sounds = list(speech.sounds(Feed(*SEGMENTS)))

    assert heard_in(sounds) == "".join(SEGMENTS)
    assert sounds[-1].spoken == len(SEGMENTS)


@pytest.mark.parametrize("count", range(1, len(SEGMENTS) + 1))
def test_the_count_of_spoken_segments_is_never_ahead_of_the_sound(speech: RealtimeSpeech, count: int) -> None:
    sounds = list(speech.sounds(Feed(*SEGMENTS)))

    up_to_here = until_spoken(iter(sounds), count)

    assert heard_in(up_to_here).startswith("".join(SEGMENTS[:count]))
    assert [sound.spoken for sound in sounds] == sorted(sound.spoken for sound in sounds)


def test_a_segment_is_spoken_to_its_end_while_the_next_is_not_even_known(speech: RealtimeSpeech) -> None:
    """Without a commit the service would hold back the last two seconds until more text comes."""
    feed = Feed(is_whole=False)
    sounds = speech.sounds(feed)

    for segment in SEGMENTS:
        feed.add(segment)
        assert heard_in([next(sounds), *until_spoken(sounds, SEGMENTS.index(segment) + 1)]).startswith(segment)

    feed.finish()
    assert [sound.pcm for sound in sounds] == [b""]


def test_an_empty_answer_ends_at_once(speech: RealtimeSpeech) -> None:
    assert list(speech.sounds(Feed())) == [Sound(pcm=b"", spoken=0)]


def test_the_model_may_think_longer_than_the_voice_may_be_silent(
    hasty_vendor: Vendor, api_key: ApiKey, cancel: CancelToken
) -> None:
    speech = hasty_vendor.realtime_voice().open(voice="Cherry", key=api_key, cancel=cancel)
    feed = Feed(SEGMENTS[0], is_whole=False)
    sounds = speech.sounds(feed)
    first = until_spoken(sounds, 1)
    thinking = threading.Timer(3 * HASTY_S, lambda: (feed.add(SEGMENTS[1]), feed.finish()))
    thinking.start()

    rest = list(sounds)

    assert heard_in(first + rest) == SEGMENTS[0] + SEGMENTS[1]
    thinking.join()


def test_a_voice_that_owes_sound_and_is_silent_is_a_timeout(
    hasty_vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    scenario(faults=[{"stage": "tts", "kind": "stall", "after": 3}])
    speech = hasty_vendor.realtime_voice().open(voice="Cherry", key=api_key, cancel=cancel)

    with pytest.raises(UpstreamTimeout):
        list(speech.sounds(Feed(*SEGMENTS, is_whole=False)))


def test_a_voice_that_breaks_tells_what_it_has_spoken(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    scenario(faults=[{"stage": "tts", "kind": "close", "close_code": 1011, "reason": "Too many requests", "after": 5}])
    speech = vendor.realtime_voice().open(voice="Cherry", key=api_key, cancel=cancel)
    sounds: list[Sound] = []

    with pytest.raises(UpstreamBusy):
        sounds.extend(speech.sounds(Feed(*SEGMENTS)))

    spoken = sounds[-1].spoken
    assert 0 < spoken < len(SEGMENTS)
    assert heard_in(sounds).startswith("".join(SEGMENTS[:spoken]))


def test_a_listener_who_leaves_ends_the_sender(speech: RealtimeSpeech) -> None:
    feed = Feed(*SEGMENTS, is_whole=False)
    sounds = speech.sounds(feed)
    next(sounds)

    sounds.close()  # type: ignore[attr-defined]

    assert feed.is_stopped
    assert not [thread for thread in threading.enumerate() if thread.name.endswith("-text")]


def test_a_stopped_answer_is_not_finished_at_the_vendor(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, emulator: Emulator
) -> None:
    speech = vendor.realtime_voice().open(voice="Cherry", key=api_key, cancel=cancel)
    sounds = speech.sounds(Feed(*SEGMENTS, is_whole=False))
    next(sounds)

    sounds.close()  # type: ignore[attr-defined]

    eventually(lambda: any(entry["kind"] == "closed" for entry in emulator.journal(api_key.reveal())))
    assert not [entry for entry in emulator.journal(api_key.reveal()) if entry.get("type") == "session.finish"]


def test_a_model_that_does_not_exist_is_an_error(vendor: Vendor, api_key: ApiKey, cancel: CancelToken) -> None:
    """The service was seen to begin a session with any name, and then to close it without a word."""
    with pytest.raises(UpstreamError):
        vendor.realtime_voice(model="no-such-tts-realtime").open(voice="Cherry", key=api_key, cancel=cancel)


# --- against a vendor that is scripted


def synthesiser(vendor: ScriptedVendor, *, idle_s: float = PATIENT_S) -> RealtimeSynthesiser:
    url = f"{vendor.websocket_url}/realtime?model=m"
    return RealtimeSynthesiser(url=url, model="m", rate_hz=24_000, connect_s=PATIENT_S, idle_s=idle_s)


def test_a_model_that_counts_tokens_is_followed_by_its_responses(
    script: Script, api_key: ApiKey, cancel: CancelToken
) -> None:
    def count_tokens(line: Line) -> None:
        line.begin_session()
        while line.hear("input_text_buffer.commit", "session.finish")["type"] != "session.finish":
            line.say("response.audio.delta", delta="AAAA")
            line.say("response.done", response={"status": "completed", "usage": {"total_tokens": 9}})
        line.say("session.finished")
        line.hear()

    speech = synthesiser(script(count_tokens)).open(voice="Cherry", key=api_key, cancel=cancel)

    sounds = list(speech.sounds(Feed(*SEGMENTS)))

    assert [sound.spoken for sound in sounds if not sound.pcm] == [1, 2, 3, 4, 4]


def test_a_voice_that_never_says_the_end_is_a_timeout(script: Script, api_key: ApiKey, cancel: CancelToken) -> None:
    def forget_the_end(line: Line) -> None:
        line.begin_session()
        line.hear("input_text_buffer.commit")
        line.say("response.done", response={"status": "completed", "usage": {"characters": 1000}})
        line.hear("never")

    speech = synthesiser(script(forget_the_end), idle_s=HASTY_S).open(voice="Cherry", key=api_key, cancel=cancel)

    with pytest.raises(UpstreamTimeout):
        list(speech.sounds(Feed(SEGMENTS[0])))


@pytest.mark.parametrize("status", ["failed", "incomplete"])
def test_a_response_that_failed_is_an_error(status: str, script: Script, api_key: ApiKey, cancel: CancelToken) -> None:
    def fail(line: Line) -> None:
        line.begin_session()
        line.hear("input_text_buffer.commit")
        line.say("response.done", response={"status": status})
        line.hear("never")

    speech = synthesiser(script(fail)).open(voice="Cherry", key=api_key, cancel=cancel)

    with pytest.raises(UpstreamBroken) as caught:
        list(speech.sounds(Feed(SEGMENTS[0])))

    assert caught.value.code == "tts_failed"


def test_a_vendor_that_speaks_at_another_rate_is_refused(script: Script, api_key: ApiKey, cancel: CancelToken) -> None:
    def agree_on_less(line: Line) -> None:
        line.upgrade()
        line.say("session.created")
        line.hear("session.update")
        line.say("session.updated", session={"sample_rate": 8000})
        line.hear()

    with pytest.raises(UpstreamBroken, match="8000"):
        synthesiser(script(agree_on_less)).open(voice="Cherry", key=api_key, cancel=cancel)


@pytest.mark.parametrize(
    ("manner", "told"),
    [
        (PLAIN, {}),
        (Manner(language="Auto"), {"language_type": "Auto"}),
        (
            Manner(language="Chinese", instructions="慢一点", rate=0.5, pitch=2.0, volume=0),
            {"language_type": "Chinese", "instructions": "慢一点", "speech_rate": 0.5, "pitch_rate": 2.0, "volume": 0},
        ),
    ],
)
def test_how_to_speak_is_agreed_before_a_word_is_said(
    script: Script, api_key: ApiKey, cancel: CancelToken, manner: Manner, told: dict[str, object]
) -> None:
    heard: list[dict[str, object]] = []

    def agree(line: Line) -> None:
        line.upgrade()
        line.say("session.created")
        heard.append(line.hear("session.update")["session"])
        line.say("session.updated")
        line.hear()

    synthesiser(script(agree)).open(voice="Cherry", key=api_key, cancel=cancel, manner=manner).close()

    plain = {"voice": "Cherry", "mode": "server_commit", "response_format": "pcm", "sample_rate": 24_000}
    assert heard == [plain | told]


def test_the_end_tells_what_was_billed(speech: RealtimeSpeech) -> None:
    last = list(speech.sounds(Feed("今天晴。", "Bye!")))[-1]

    assert last == Sound(pcm=b"", spoken=2, usage=Usage(prompt_tokens=11, total_tokens=11))


def test_sound_arrives_as_it_was_sent(script: Script, api_key: ApiKey, cancel: CancelToken) -> None:
    def speak(line: Line) -> None:
        line.begin_session()
        line.hear("session.finish")
        for delta in ("AAEC", "", "AwQF"):
            line.say("response.audio.delta", delta=delta)
        line.say("session.finished")
        line.hear()

    speech = synthesiser(script(speak)).open(voice="Cherry", key=api_key, cancel=cancel)

    assert b"".join(sound.pcm for sound in speech.sounds(Feed("x"))) == bytes(range(6))


def test_a_long_answer_is_given_a_few_segments_at_a_time(
    emulator: Emulator, scenario: Scenario, vendor: Vendor, api_key: ApiKey, cancel: CancelToken
) -> None:
    """What was given is paid for; and a service that hears nothing for a minute closes, in mid-answer if need be."""
    scenario(latency={"tts_speed": 10.0})
    many = [f"这是第{number}句话。" for number in "一二三四五六七八九十"]
    sounds = vendor.realtime_voice().open(voice="Cherry", key=api_key, cancel=cancel).sounds(Feed(*many))

    def given() -> int:
        return str(emulator.journal(api_key.reveal())).count("input_text_buffer.append")

    first = next(sounds)
    eventually(lambda: given() >= 4)
    given_at_first = given()
    rest = list(sounds)

    assert given_at_first <= 4 + 1
    assert heard_in([first, *rest]) == "".join(many)

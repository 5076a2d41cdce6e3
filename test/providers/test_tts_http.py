"""The voice over HTTP: one call for each segment, and what was spoken is counted."""

from collections.abc import Callable

import pytest

from emulator import Emulator
from protocol.errors import UpstreamBroken, UpstreamRefused
from protocol.keys import ApiKey
from providers.dashscope.transport import Transport
from providers.dashscope.tts_http import HttpSynthesiser
from services.flow import CancelToken
from services.ports import PLAIN, Manner, Sound, Usage
from test.providers.calls import Feed, Vendor, heard_in
from test.providers.vendor import Line
from test.providers.vendor import Vendor as ScriptedVendor

SEGMENTS = ("今天晴，", "最高二十度。", "Bring a hat!")


def speak(vendor: Vendor, key: ApiKey, *segments: str, voice: str = "Cherry") -> list[Sound]:
    return list(vendor.http_voice().open(voice=voice, key=key, cancel=CancelToken()).sounds(Feed(*segments)))


def test_every_segment_is_spoken_and_counted_when_it_is_complete(vendor: Vendor, api_key: ApiKey) -> None:
    sounds = speak(vendor, api_key, *SEGMENTS)

    assert heard_in(sounds) == "".join(SEGMENTS)
    for count in range(len(SEGMENTS)):
        assert heard_in([sound for sound in sounds if sound.spoken == count]) == SEGMENTS[count]
    assert sounds[-1] == Sound(pcm=b"", spoken=len(SEGMENTS))


def test_a_segment_beyond_the_vendors_limit_takes_several_calls(
    vendor: Vendor, api_key: ApiKey, emulator: Emulator
) -> None:
    segment = "a" * 599 + "bc" + "d" * 20

    sounds = speak(vendor, api_key, segment)

    assert heard_in(sounds) == segment
    assert {sound.spoken for sound in sounds[:-1]} == {0}
    spoken = [entry["text"] for entry in emulator.journal(api_key.reveal()) if entry["kind"] == "spoken"]
    assert [len(text) for text in spoken] == [600, 21]


@pytest.mark.parametrize(
    ("manner", "told"),
    [
        (PLAIN, {"language_type": "Auto"}),
        (Manner(language="Japanese"), {"language_type": "Japanese"}),
        (Manner(instructions="Whisper."), {"language_type": "Auto", "instructions": "Whisper."}),
    ],
)
def test_how_to_speak_is_told_with_every_text(
    vendor: Vendor, api_key: ApiKey, emulator: Emulator, manner: Manner, told: dict[str, str]
) -> None:
    speech = vendor.http_voice().open(voice="Cherry", key=api_key, cancel=CancelToken(), manner=manner)

    list(speech.sounds(Feed("Hello.")))

    (asked,) = [entry["body"]["input"] for entry in emulator.journal(api_key.reveal()) if entry["kind"] == "request"]
    assert asked == {"text": "Hello.", "voice": "Cherry", **told}


def test_each_call_tells_what_it_cost_and_its_number(vendor: Vendor, api_key: ApiKey) -> None:
    sounds = speak(vendor, api_key, "今天晴。", "Bye!")

    costs = [sound.usage for sound in sounds if sound.usage]
    assert costs == [Usage(prompt_tokens=7, total_tokens=7), Usage(prompt_tokens=4, total_tokens=4)]
    assert len({sound.request_id for sound in sounds if sound.pcm}) == 2


def test_an_unknown_voice_is_refused_in_the_vendors_words(vendor: Vendor, api_key: ApiKey) -> None:
    with pytest.raises(UpstreamRefused, match="nobody") as refusal:
        speak(vendor, api_key, *SEGMENTS, voice="nobody")

    assert refusal.value.param == "voice"


def test_a_language_that_the_vendor_does_not_know_is_named(vendor: Vendor, api_key: ApiKey) -> None:
    manner = Manner(language="Klingon")
    speech = vendor.http_voice().open(voice="Cherry", key=api_key, cancel=CancelToken(), manner=manner)

    with pytest.raises(UpstreamRefused) as refusal:
        list(speech.sounds(Feed("Hello.")))

    assert refusal.value.param == "language_type"


def test_a_failure_tells_what_was_spoken_before(
    vendor: Vendor, api_key: ApiKey, scenario: Callable[..., None], cancel: CancelToken
) -> None:
    feed = Feed(SEGMENTS[0], is_whole=False)
    sounds = vendor.http_voice().open(voice="Cherry", key=api_key, cancel=cancel).sounds(feed)
    first = [next(sounds)]
    while not first[-1].spoken:
        first.append(next(sounds))
    scenario(faults=[{"stage": "tts_http", "kind": "status", "status": 500}])
    feed.add(SEGMENTS[1])

    with pytest.raises(UpstreamBroken):
        next(sounds)

    assert heard_in(first) == SEGMENTS[0]


def test_a_stream_that_just_ends_is_no_complete_segment(
    script: Callable[[Callable[[Line], None]], ScriptedVendor],
    transport: Transport,
    api_key: ApiKey,
    cancel: CancelToken,
) -> None:
    def stop_in_the_middle(line: Line) -> None:
        line.request()
        line.answer(b'data:{"output":{"finish_reason":"null","audio":{"data":"AAAA"}}}\n\n')

    voice = HttpSynthesiser(transport, base_url=script(stop_in_the_middle).url, model="m")

    with pytest.raises(UpstreamBroken) as caught:
        list(voice.events("x", voice="Cherry", key=api_key, cancel=cancel))

    assert caught.value.code == "upstream_cut"

"""CosyVoice over HTTP: what a caller chose reaches the vendor in its words."""

from typing import Any

import pytest

from emulator import Emulator
from protocol.errors import BadInput, UpstreamNotFound, UpstreamRefused
from protocol.keys import ApiKey
from providers.dashscope.cosyvoice import CosyVoiceSynthesiser
from services.flow import CancelToken
from services.ports import PLAIN, Manner, Sound
from test.providers.calls import Feed, Vendor, heard_in

SEGMENTS = ("今天晴，最高二十度。", "Bring a hat!")


def speak(
    vendor: Vendor,
    key: ApiKey,
    *segments: str,
    model: str = "cosyvoice-v3-flash",
    voice: str = "longanyang",
    manner: Manner = PLAIN,
) -> list[Sound]:
    synthesiser = CosyVoiceSynthesiser(vendor.transport, base_url=vendor.emulator.native_url, model=model)
    speech = synthesiser.open(voice=voice, key=key, cancel=CancelToken(), manner=manner)
    return list(speech.sounds(Feed(*segments)))


def sent(emulator: Emulator, key: ApiKey) -> dict[str, Any]:
    asked = [entry["body"] for entry in emulator.journal(key.reveal()) if entry["kind"] == "request"]
    return dict(asked[-1]["input"])


def test_every_segment_is_spoken_to_the_character_and_counted(vendor: Vendor, api_key: ApiKey) -> None:
    sounds = speak(vendor, api_key, *SEGMENTS)

    assert heard_in(sounds) == "".join(SEGMENTS)
    assert sounds[-1] == Sound(pcm=b"", spoken=2)
    assert [sound.usage.prompt_tokens for sound in sounds if sound.usage] == [18, 12]
    assert all(sound.request_id for sound in sounds if sound.pcm)


def test_a_plain_manner_leaves_everything_to_the_voice(vendor: Vendor, api_key: ApiKey, emulator: Emulator) -> None:
    speak(vendor, api_key, "Hello.")

    assert sent(emulator, api_key) == {
        "text": "Hello.",
        "voice": "longanyang",
        "format": "pcm",
        "sample_rate": 24_000,
    }


def test_what_was_chosen_is_said_in_the_vendors_words(vendor: Vendor, api_key: ApiKey, emulator: Emulator) -> None:
    manner = Manner(language="Japanese", instructions="开心一点。", rate=1.5, pitch=0.5, volume=0, seed=0)

    speak(vendor, api_key, "Hello.", manner=manner)

    told = sent(emulator, api_key)
    assert (told["language_hints"], told["instruction"], told["rate"]) == (["ja"], "开心一点。", 1.5)
    assert (told["pitch"], told["volume"], told["seed"]) == (0.5, 0, 0)


@pytest.mark.parametrize(
    ("language", "hints"), [("", None), ("Auto", None), ("chinese", ["zh"]), ("FRENCH", ["fr"]), ("de", ["de"])]
)
def test_languages_become_hints(
    vendor: Vendor, api_key: ApiKey, emulator: Emulator, language: str, hints: list[str] | None
) -> None:
    speak(vendor, api_key, "Hello.", manner=Manner(language=language))

    assert sent(emulator, api_key).get("language_hints") == hints


@pytest.mark.parametrize(
    ("manner", "param"),
    [
        (Manner(language="Klingon"), "language_type"),
        (Manner(instructions="慢" * 51), "instructions"),
        (Manner(instructions="x" * 101), "instructions"),
    ],
)
def test_what_has_no_words_there_is_refused_by_its_name(
    vendor: Vendor, api_key: ApiKey, manner: Manner, param: str
) -> None:
    with pytest.raises(BadInput) as refusal:
        speak(vendor, api_key, "Hello.", manner=manner)

    assert refusal.value.param == param


def test_instructions_that_the_vendor_refuses_are_named_as_ours(vendor: Vendor, api_key: ApiKey) -> None:
    with pytest.raises(UpstreamRefused) as refusal:
        speak(
            vendor,
            api_key,
            "Hello.",
            model="qwen-audio-3.0-tts-flash",
            voice="longanlingxin",
            manner=Manner(instructions="x" * 101),
        )

    assert refusal.value.param == "instructions"


@pytest.mark.parametrize(
    ("model", "voice", "error"),
    [
        ("cosyvoice-v3-flash", "nobody", UpstreamRefused),
        ("cosyvoice-v9", "longanyang", UpstreamNotFound),
    ],
)
def test_the_vendors_refusals_are_ours(
    vendor: Vendor, api_key: ApiKey, model: str, voice: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        speak(vendor, api_key, "Hello.", model=model, voice=voice)

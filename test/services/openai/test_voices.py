import pytest

from emulator.voices import is_cosyvoice_voice, is_known_voice
from protocol.errors import BadInput
from services.openai.voices import OPENAI_VOICES, VOICES, resolve_voice

QWEN, COSY = "qwen3-tts-flash", "cosyvoice-v3-flash"
FAMILIES = (QWEN, "qwen-tts", COSY, "cosyvoice-v3-plus", "cosyvoice-v2", "qwen-audio-3.0-tts-flash")


@pytest.mark.parametrize("name", ["Cherry", "cherry", "CHERRY"])
def test_a_voice_is_found_in_any_case(name: str) -> None:
    assert resolve_voice(name, QWEN) == "Cherry"


def test_all_thirteen_names_of_openai_are_voices_of_every_family() -> None:
    assert len(OPENAI_VOICES) == 13
    for model in FAMILIES:
        known = {voice.id for voice in VOICES if model.startswith(voice.models)}
        assert {resolve_voice(name.upper(), model) for name in OPENAI_VOICES} <= known


def test_every_listed_voice_is_one_of_the_vendors() -> None:
    models = (
        QWEN,
        "cosyvoice-v3-flash",
        "cosyvoice-v3-plus",
        "cosyvoice-v2",
        *FAMILIES[5:],
        "qwen-audio-3.1-tts-flash",
    )
    for model in models:
        is_theirs = is_known_voice if model == QWEN else is_cosyvoice_voice
        theirs = [voice.id for voice in VOICES if model.startswith(voice.models)]
        assert theirs and [id_ for id_ in theirs if not is_theirs(id_, model)] == []


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("cosyvoice-v3-plus-mine-1f2e3d", "cosyvoice-v3-plus"),
        ("qwen-tts-vc-mine-voice-20251125", QWEN),
        ("mine", "qwen3-tts-vc-realtime-2026-01-15"),
        ("mine", "cosyvoice-v3.5-plus"),
        ("longxyz_v3", COSY),
        ("anything", "a-model-of-tomorrow"),
    ],
)
def test_a_voice_of_ones_own_goes_through(name: str, model: str) -> None:
    assert resolve_voice(name, model) == name


@pytest.mark.parametrize(
    ("name", "model"),
    [("nobody", QWEN), ("Momo", "qwen-tts"), ("Cherry", COSY), ("longwan_v3", QWEN), ("alloy", "cosyvoice-v3.5-plus")],
)
def test_an_unknown_voice_is_refused_with_some_that_exist(name: str, model: str) -> None:
    with pytest.raises(BadInput, match=r"Cherry|longanyang|of your own") as refusal:
        resolve_voice(name, model)

    assert refusal.value.param == "voice"


@pytest.mark.parametrize(("model", "voice"), [(QWEN, "Kai"), (COSY, "longanyang"), ("a-model-of-tomorrow", "Kai")])
def test_without_a_name_the_servers_voice_speaks_or_the_familys_first(model: str, voice: str) -> None:
    assert resolve_voice("", model, default="Kai") == voice

"""Which model a name stands for."""

import logging

import pytest

from services.catalogue import RETIRED, Catalogue, Defaults, read_aliases
from services.known_models import ALIASES, MODELS

DEFAULTS = Defaults(
    chat="c", vision="v", omni="o", transcription="t", diarization="d", speech="s", image="i", image_edit="e"
)
CATALOGUE = Catalogue(defaults=DEFAULTS)


@pytest.mark.parametrize(
    "name", ["", "gpt-4o", "gpt-4o-2024-08-06", "gpt-3.5-turbo", "gpt-5-mini", "chatgpt-4o-latest", "o3", "o9-pro"]
)
def test_openais_chat_models_stand_for_the_default_and_with_pictures_for_the_one_that_sees(name: str) -> None:
    assert CATALOGUE.resolve_chat(name) == "c"
    assert CATALOGUE.resolve_chat(name, has_pictures=True) == "v"


@pytest.mark.parametrize("name", ["gpt-audio", "gpt-4o-audio-preview", "gpt-4o-audio-preview-2024-12-17"])
def test_a_chat_model_that_speaks_stands_for_the_one_that_speaks(name: str) -> None:
    assert CATALOGUE.resolve_chat(name) == CATALOGUE.resolve_chat(name, has_pictures=True) == "o"


@pytest.mark.parametrize(
    ("name", "model", "diarizes"),
    [
        ("", "t", False),
        ("whisper-1", "t", False),
        ("gpt-4o-mini-transcribe-2025-12-15", "t", False),
        ("gpt-4o-transcribe-diarize", "d", True),
    ],
)
def test_openais_ears_stand_for_the_default_or_the_one_that_tells_speakers_apart(
    name: str, model: str, diarizes: bool
) -> None:
    assert (CATALOGUE.resolve_transcription(name), CATALOGUE.diarizes(name)) == (model, diarizes)


@pytest.mark.parametrize(
    "name", ["", "tts-1", "tts-1-hd", "tts-1-1106", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-03-20"]
)
def test_openais_voices_stand_for_the_default(name: str) -> None:
    assert CATALOGUE.resolve_speech(name) == "s"


@pytest.mark.parametrize("name", ["", "sora-2", "sora-2-pro", "sora-2-2025-10-06"])
def test_openais_cameras_stand_for_the_default(name: str) -> None:
    assert Catalogue().resolve_video(name) == "wan2.7-t2v"


@pytest.mark.parametrize(
    "name", ["", "dall-e-2", "dall-e-3", "gpt-image-1", "gpt-image-2-2026-04-21", "gpt-image-9", "chatgpt-image-latest"]
)
def test_openais_painters_stand_for_the_default_and_with_pictures_for_the_one_that_edits(name: str) -> None:
    assert CATALOGUE.resolve_image(name) == "i"
    assert CATALOGUE.resolve_image(name, is_edit=True) == "e"


@pytest.mark.parametrize("name", ["qwen3.7-plus", "gpt-oss-120b", "someone/else", "whisper-1", "tts-1", "gpt-4o-tts"])
def test_any_other_name_is_the_vendors_to_serve_or_to_refuse(name: str) -> None:
    assert CATALOGUE.resolve_chat(name) == name


def test_an_ear_is_no_voice() -> None:
    assert CATALOGUE.resolve_speech("whisper-1") == "whisper-1"
    assert CATALOGUE.resolve_transcription("tts-1") == "tts-1"


def test_the_operators_names_go_before_openais_and_may_stand_for_them() -> None:
    catalogue = Catalogue(defaults=DEFAULTS, aliases=read_aliases("gpt-4o=qwen-max, house = tts-1,ear=whisper-1"))

    assert catalogue.resolve_chat("gpt-4o") == catalogue.resolve_chat("gpt-4o", has_pictures=True) == "qwen-max"
    assert catalogue.resolve_speech("house") == "s"
    assert catalogue.resolve_transcription("ear") == "t"


def test_a_retired_name_goes_through_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    catalogue = Catalogue()

    with caplog.at_level(logging.WARNING):
        resolved = [catalogue.resolve_chat("qwen-turbo") for _ in range(2)]

    assert resolved == ["qwen-turbo", "qwen-turbo"]
    assert caplog.messages == ["model qwen-turbo was retired by the vendor; its successor is qwen-flash"]


def test_a_retired_name_goes_to_its_successor_where_the_operator_wants_it() -> None:
    assert Catalogue(replaces_retired=True).resolve_speech("qwen-tts") == "qwen3-tts-flash"


@pytest.mark.parametrize(
    ("name", "is_stream_only"),
    [
        ("qwen3.5-omni-plus", True),
        ("qwen3-omni-flash-2025-12-01", True),
        ("qwq-plus", True),
        ("qvq-max", True),
        ("qwen3-livetranslate-flash", True),
        ("qwen3-235b-a22b-thinking-2507", True),
        ("qwen3.5-omni-plus-realtime", False),
        ("qwen3.7-plus", False),
        ("qwen-plus", False),
    ],
)
def test_models_that_answer_only_in_streams_are_known(name: str, is_stream_only: bool) -> None:
    assert CATALOGUE.is_stream_only(name) is is_stream_only


def test_every_name_is_listed_once_and_none_that_is_retired() -> None:
    names = [model.id for model in Catalogue(aliases={"house": "tts-1"}).listed()]

    assert len(names) == len(set(names))
    assert {"house", *ALIASES, *(model.id for model in MODELS)} == set(names)
    assert not set(names) & set(RETIRED)


def test_a_default_that_nobody_knows_is_listed_too() -> None:
    assert {"c", "v", "o", "t", "d", "s"} <= {model.id for model in CATALOGUE.listed()}


def test_an_alias_is_described_as_what_it_stands_for() -> None:
    model = Catalogue().find("tts-1-1106")

    assert model and (model.id, model.kind, model.description) == ("tts-1-1106", "tts", "Stands for qwen3-tts-flash")

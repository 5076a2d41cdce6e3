"""Samples before a recording: who is heard in them, and a transcription without them."""

import pytest

from protocol.errors import BadInput, TooLarge
from protocol.transcription import Sentence, Transcription, Word
from services.flow import CancelToken
from services.openai.known_voices import KnownVoices, known_voices, named
from test.support.recordings import silence, wav

TWO = KnownVoices(spans=(("Ann", 0.0, 2.0), ("Ben", 3.0, 5.0)), pcm=bytes(6 * 32_000))


def sentence(text: str, begin_s: float, end_s: float, speaker: int | None) -> Sentence:
    return Sentence(
        text=text, begin_s=begin_s, end_s=end_s, speaker=speaker, words=(Word(text=text, begin_s=begin_s, end_s=end_s),)
    )


def heard(*sentences: Sentence) -> Transcription:
    return Transcription(text="".join(s.text for s in sentences), sentences=sentences, duration_s=10)


def test_samples_stand_in_a_row_with_pauses() -> None:
    voices = known_voices(["Ann", "Ben"], [wav(silence(2000)), wav(silence(3000))], cancel=CancelToken())

    assert voices.spans == (("Ann", 0.0, 2.0), ("Ben", 3.0, 6.0))
    assert voices.seconds == 7.0


def test_nobody_known_is_nothing_put_before() -> None:
    assert known_voices(["Ann"], [], cancel=CancelToken()) == KnownVoices()


@pytest.mark.parametrize("sample", [b"", b"no sound", wav(b"")])
def test_a_sample_without_sound_is_refused_by_its_name(sample: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        known_voices(["Ann"], [sample], cancel=CancelToken())

    assert refused.value.param == "known_speaker_references"


def test_a_sample_that_is_too_long_is_refused_by_its_name() -> None:
    with pytest.raises(TooLarge, match="30 seconds") as refused:
        known_voices(["Ann"], [wav(silence(31_000))], cancel=CancelToken())

    assert refused.value.param == "known_speaker_references"


def test_whoever_is_heard_in_a_sample_has_its_name() -> None:
    told = named(
        heard(
            sentence("a", 0.1, 1.9, 5),
            sentence("b", 3.2, 4.9, 2),
            sentence("one.", 6.0, 7.0, 2),
            sentence("two.", 7.5, 8.0, 5),
            sentence("three.", 8.5, 9.0, 1),
        ),
        TWO,
        ["Ann", "Ben"],
    )

    assert (told.text, told.names) == ("one. two. three.", {5: "Ann", 2: "Ben"})
    assert [(s.begin_s, s.end_s, s.words[0].begin_s) for s in told.sentences][:2] == [(0.0, 1.0, 0.0), (1.5, 2.0, 1.5)]


def test_the_voice_that_is_heard_most_in_a_sample_is_its_speaker() -> None:
    told = named(heard(sentence("a", 0.0, 0.3, 9), sentence("b", 0.4, 2.0, 4)), TWO, ["Ann", "Ben"])

    assert told.names == {4: "Ann"}


def test_one_voice_in_two_samples_has_the_first_name() -> None:
    told = named(heard(sentence("a", 0.0, 2.0, 4), sentence("b", 3.0, 5.0, 4)), TWO, ["Ann", "Ben"])

    assert told.names == {4: "Ann"}


def test_a_sentence_that_begins_a_little_early_is_kept_and_begins_with_the_recording() -> None:
    told = named(heard(sentence("a", 5.8, 7.0, 4)), TWO, ["Ann", "Ben"])

    assert [(s.begin_s, s.end_s) for s in told.sentences] == [(0.0, 1.0)]


def test_without_samples_names_are_given_as_voices_come() -> None:
    told = named(heard(sentence("a", 0, 1, 7), sentence("b", 1, 2, 3), sentence("c", 2, 3, 7)), KnownVoices(), ["Ann"])

    assert (told.names, KnownVoices().seconds) == ({7: "Ann"}, 0.0)

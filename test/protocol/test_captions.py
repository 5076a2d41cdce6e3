"""A transcription in each of its shapes: valid, complete, and with no time that the recogniser did not tell."""

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.openai import captions
from protocol.openai.cues import cues_of
from protocol.transcription import Sentence, Tokens, Transcription, Word
from test.support.openai_schema import assert_openai

HELLO = Sentence(
    text="Hello, world.",
    begin_s=0.1,
    end_s=1.25,
    speaker=7,
    words=(
        Word(text="Hello", begin_s=0.1, end_s=0.6, punctuation=","),
        Word(text="world", begin_s=0.6, end_s=1.25, punctuation="."),
    ),
)
ANSWER = Sentence(text="你好 <b>&</b>", begin_s=3661.5, end_s=3662.0, speaker=2)
HEARD = Transcription(
    text="Hello, world. 你好 <b>&</b>", duration_s=3662.4, language="en", sentences=(HELLO, ANSWER), request_id="r"
)


def test_json_has_the_text_and_what_it_cost() -> None:
    body = captions.plain(HEARD)

    assert_openai("CreateTranscriptionResponseJson", body)
    assert body == {
        "text": HEARD.text,
        "usage": {"type": "duration", "seconds": 3663},
        "languages": [{"code": "en"}],
    }


def test_tokens_are_told_when_the_vendor_counts_them() -> None:
    body = captions.plain(Transcription(text="x", duration_s=1, tokens=Tokens(input=30, output=4, audio=25)))

    assert_openai("CreateTranscriptionResponseJson", body)
    assert body["usage"] == {
        "type": "tokens",
        "input_tokens": 30,
        "output_tokens": 4,
        "total_tokens": 34,
        "input_token_details": {"text_tokens": 5, "audio_tokens": 25},
    }


def test_text_ends_its_line() -> None:
    assert captions.text(HEARD) == f"{HEARD.text}\n"


@pytest.mark.parametrize(("segments", "words"), [(True, False), (False, True), (True, True)])
def test_verbose_json_shows_the_times_that_were_asked_for(segments: bool, words: bool) -> None:
    body = captions.verbose(HEARD, temperature=0.5, with_segments=segments, with_words=words)

    assert_openai("CreateTranscriptionResponseVerboseJson", body)
    assert ("segments" in body, "words" in body) == (segments, words)
    assert (body["language"], body["duration"], body["task"]) == ("english", 3662.4, "transcribe")


def test_segments_and_words_have_the_recognisers_times() -> None:
    body = captions.verbose(HEARD, temperature=0.5, with_segments=True, with_words=True)

    times = [(s["id"], s["seek"], s["start"], s["end"], s["text"]) for s in body["segments"]]
    assert times == [(0, 10, 0.1, 1.25, "Hello, world."), (1, 366150, 3661.5, 3662.0, "你好 <b>&</b>")]
    assert body["words"][1] == {"word": "world", "start": 0.6, "end": 1.25}
    assert {s["temperature"] for s in body["segments"]} == {0.5}


def test_speakers_are_lettered_as_they_come() -> None:
    body = captions.diarized(HEARD)

    assert_openai("CreateTranscriptionResponseDiarizedJson", body)
    assert [turn["speaker"] for turn in body["segments"]] == ["A", "B"]


def test_voices_that_are_known_have_their_names_and_others_letters() -> None:
    known = dataclasses.replace(HEARD, names={2: "Ben"})

    assert [turn["speaker"] for turn in captions.diarized(known)["segments"]] == ["A", "Ben"]


def test_letters_go_on_after_z() -> None:
    voices = tuple(Sentence(text="x", begin_s=n, end_s=n + 1, speaker=n) for n in range(28))

    turns = captions.diarized(Transcription(text="x", sentences=voices))["segments"]

    assert [turn["speaker"] for turn in turns[24:]] == ["Y", "Z", "AA", "AB"]


def test_srt_numbers_its_cues() -> None:
    assert captions.srt(HEARD) == (
        "1\n00:00:00,100 --> 00:00:01,250\nHello, world.\n\n2\n01:01:01,500 --> 01:01:02,000\n你好 <b>&</b>\n\n"
    )


def test_vtt_escapes_what_would_be_markup() -> None:
    assert captions.vtt(HEARD) == (
        "WEBVTT\n\n00:00:00.100 --> 00:00:01.250\nHello, world.\n\n"
        "01:01:01.500 --> 01:01:02.000\n你好 &lt;b&gt;&amp;&lt;/b&gt;\n\n"
    )


def test_silence_has_no_cue() -> None:
    silence = Transcription(text="", duration_s=3.0)

    assert (captions.srt(silence), captions.vtt(silence)) == ("", "WEBVTT\n\n")
    assert captions.diarized(silence)["segments"] == []


def test_a_text_without_times_is_one_segment_of_the_recordings_length() -> None:
    untimed = Transcription(text="你好。", duration_s=2.5)

    assert captions.srt(untimed) == "1\n00:00:00,000 --> 00:00:02,500\n你好。\n\n"


def test_every_event_of_a_stream_is_what_openai_documents() -> None:
    assert_openai("CreateTranscriptionResponseStreamEvent", captions.delta("x"))
    for event in captions.spoken_turns(HEARD):
        assert_openai("CreateTranscriptionResponseStreamEvent", event)
    assert_openai("CreateTranscriptionResponseStreamEvent", captions.done(HEARD))


def test_the_last_event_tells_what_it_cost_in_tokens_only() -> None:
    counted = Transcription(text="x", tokens=Tokens(input=3, output=1))

    assert "usage" not in captions.done(HEARD)
    assert captions.done(counted)["usage"]["total_tokens"] == 4


# --- subtitles


def spoken(text: str, *, pieces: str = r"\w+|.", word_s: float = 0.3) -> Sentence:
    """Return a sentence whose words last `word_s` each; a mark belongs to the word before it."""
    words: list[Word] = []
    for n, found in enumerate(re.findall(rf"({pieces})(\W*)", text)):
        words.append(Word(text=found[0], punctuation=found[1], begin_s=n * word_s, end_s=(n + 1) * word_s))
    return Sentence(text=text, begin_s=0, end_s=len(words) * word_s, words=tuple(words))


def test_a_long_sentence_is_cut_at_its_marks() -> None:
    clauses = ["The first part of it ends here,", "the second one is as long as that,", "and this is what is left."]

    cues = list(cues_of([spoken(" ".join(clauses))]))

    assert [cue.text for cue in cues] == [f"{clauses[0]} {clauses[1]}", clauses[2]]
    assert cues[0].end_ms == cues[1].begin_ms == 15 * 300


def test_a_sentence_without_marks_is_cut_between_words() -> None:
    cues = list(cues_of([spoken("天" * 100, pieces="天")]))

    assert [len(cue.text) for cue in cues] == [23, 23, 23, 23, 8]


def test_a_long_sentence_without_words_stays_whole() -> None:
    text = "天" * 100

    assert [cue.text for cue in cues_of([Sentence(text=text, begin_s=0, end_s=9)])] == [text]


def test_words_that_are_not_in_the_sentence_are_written_as_they_are() -> None:
    odd = Sentence(text="x" * 90, begin_s=0, end_s=4, words=spoken("Hello, world.").words)

    assert [cue.text for cue in cues_of([odd])] == ["Hello, world."]


_WORDS = st.lists(st.text("abc天气，。 <&\n", min_size=1, max_size=6), max_size=40)
_TIMES = st.floats(0, 400_000)


@st.composite
def transcriptions(draw: st.DrawFn) -> Transcription:
    sentences = []
    for texts in draw(st.lists(_WORDS, max_size=5)):
        words = tuple(Word(text=text, begin_s=draw(_TIMES), end_s=draw(_TIMES)) for text in texts)
        sentence = Sentence(text="".join(texts), begin_s=draw(_TIMES), end_s=draw(_TIMES), words=words)
        sentences.append(sentence)
    return Transcription(text="".join(s.text for s in sentences), sentences=tuple(sentences), duration_s=draw(_TIMES))


_CUE = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)[.,](\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d)[.,](\d{3})")


def parsed(subtitles: str) -> list[tuple[int, int, str]]:
    """Return (begin, end, text) as a player reads it: blocks between blank lines, the last line is the text."""
    cues = []
    for block in subtitles.removeprefix("WEBVTT\n\n").split("\n\n")[:-1]:
        *_, clock, text = block.split("\n")
        found = _CUE.fullmatch(clock)
        assert found, clock
        h1, m1, s1, ms1, h2, m2, s2, ms2 = (int(number) for number in found.groups())
        begin, end = ((h * 60 + m) * 60_000 + s * 1000 + ms for h, m, s, ms in ((h1, m1, s1, ms1), (h2, m2, s2, ms2)))
        cues.append((begin, end, text))
    return cues


@pytest.mark.parametrize("render", [captions.srt, captions.vtt])
@given(heard=transcriptions())
def test_whatever_the_times_subtitles_are_read_in_order(render, heard: Transcription) -> None:  # type: ignore[no-untyped-def]
    cues = parsed(render(heard))

    assert all(begin < end and text for begin, end, text in cues)
    assert [begin for begin, _, _ in cues] == sorted(begin for begin, _, _ in cues)


@given(heard=transcriptions())
def test_no_letter_of_the_text_is_lost(heard: Transcription) -> None:
    shown = "".join(text for _, _, text in parsed(captions.srt(heard)))

    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", heard.text)

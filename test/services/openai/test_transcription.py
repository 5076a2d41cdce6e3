"""Who hears a recording, and what is told of it while it is heard; the recognisers are scripted."""

import io
from collections.abc import Callable, Iterator

import pytest

from protocol.errors import BadInput, UpstreamBroken
from protocol.keys import ApiKey
from protocol.openai.transcription import Asked
from protocol.transcription import Sentence, Tokens, Transcription
from services.catalogue import Catalogue
from services.flow import CancelToken
from services.openai.transcription import TranscriptionService
from services.ports import AnyRecogniser, Heard, HearingOptions, Link, SoundFile, Transcript
from services.sound.sound_files import open_sound
from test.support.recordings import silence, wav

SAID = (Sentence(text="你好。", begin_s=0.1, end_s=0.6, speaker=1),)
LINK = Link(url="https://host.example/a.wav")


class Short:
    kind = "short"

    def __init__(self, *pieces: Heard) -> None:
        self.model, self.pieces, self.options = "short", pieces, HearingOptions()

    def hear(self, sound: object, *, options: HearingOptions, key: ApiKey, cancel: CancelToken) -> Iterator[Heard]:
        self.options = options
        return iter(self.pieces)


class File:
    kind = "file"

    def __init__(self, model: str, *, tells_speakers: bool = True) -> None:
        self.model, self.tells_speakers, self.options = model, tells_speakers, HearingOptions()

    def transcribe_file(
        self, sound: SoundFile | Link, *, options: HearingOptions, key: ApiKey, cancel: CancelToken
    ) -> Transcription:
        self.options = options
        return Transcription(text=self.model, duration_s=7.0, sentences=SAID, request_id="r")


class Live:
    """Every second of sound completes one sentence."""

    kind = "live"
    model = "live"

    def __init__(self, *sentences: str) -> None:
        self._sentences, self._count, self.is_closed = sentences, 0, False

    def open(self, *, is_paced: bool, key: ApiKey, cancel: CancelToken, options: HearingOptions) -> "Live":
        return self

    @property
    def texts(self) -> tuple[str, ...]:
        return self._sentences[: self._count]

    def append(self, pcm: bytes) -> None:
        self._count += 1
        if self._count == 3 and "breaks" in self._sentences:
            raise UpstreamBroken("broken")

    def finish(self) -> Transcript:
        return Transcript(text="".join(self._sentences), language="zh")

    def close(self) -> None:
        self.is_closed = True


def service(*recognisers: object) -> TranscriptionService:
    """Return a service whose models are these; `qwen3-asr-flash` is the default's name."""
    known: dict[str, object] = {"timed": File("timed", tells_speakers=False), "paraformer-v2": File("paraformer-v2")}
    known |= {"qwen3-asr-flash": Short(Heard(text="short"))}
    known |= {recogniser.model: recogniser for recogniser in recognisers}  # type: ignore[attr-defined]
    build: Callable[[str], AnyRecogniser] = known.__getitem__  # type: ignore[assignment]
    return TranscriptionService(build, catalogue=Catalogue(), file_model="timed")


def listen(of: TranscriptionService, sound: SoundFile | Link | None = None, **asked: object) -> list[object]:
    wish = Asked(**{"model": "whisper-1", "format": "json", **asked})  # type: ignore[arg-type]
    recording = sound or open_sound(io.BytesIO(wav(silence(5000))))
    return list(of.listen(wish, recording, key=ApiKey("k"), cancel=CancelToken()))


def text_of(told: list[object]) -> str:
    assert isinstance(told[-1], Transcription)
    return told[-1].text


@pytest.mark.parametrize(
    ("asked", "sound", "used"),
    [
        ({}, None, "short"),
        ({"format": "text"}, None, "short"),
        ({"is_stream": True}, None, "short"),
        ({"format": "srt"}, None, "timed"),
        ({"format": "vtt"}, None, "timed"),
        ({"format": "verbose_json"}, None, "timed"),
        ({"format": "diarized_json"}, None, "paraformer-v2"),
        ({"model": "timed", "format": "diarized_json"}, None, "paraformer-v2"),
        ({"model": "paraformer-v2"}, None, "paraformer-v2"),
        ({"model": "paraformer-v2", "format": "srt"}, None, "paraformer-v2"),
        ({"model": "gpt-4o-transcribe-diarize"}, None, "paraformer-v2"),
        ({}, LINK, "timed"),
        ({"is_stream": True}, LINK, "short"),
        ({"model": "live"}, None, "live"),
        ({"model": "live", "format": "srt"}, None, "timed"),
        ({"model": "live"}, LINK, "timed"),
        ({"model": "live", "is_stream": True}, LINK, "timed"),
    ],
)
def test_words_come_from_the_model_asked_for_and_times_from_one_that_tells_them(
    asked: dict[str, object], sound: Link | None, used: str
) -> None:
    assert text_of(listen(service(Live("live")), sound, **asked)) == used


@pytest.mark.parametrize("model", ["qwen-plus", "gpt-4o", "tts-1"])
def test_a_model_that_does_something_else_is_refused(model: str) -> None:
    with pytest.raises(BadInput) as refused:
        listen(service(), model=model)

    assert refused.value.param == "model"


def test_pieces_are_told_as_they_come_and_then_together() -> None:
    pieces = [
        Heard(text="你", request_id="r", tokens=Tokens(input=1, output=1)),
        Heard(text="好。", language="zh", tokens=Tokens(input=1, output=2)),
    ]
    of = service(Short(*pieces))

    told = listen(of, model="short")

    assert told[:-1] == pieces
    assert told[-1] == Transcription(
        text="你好。", duration_s=5.0, language="zh", tokens=Tokens(input=1, output=2), request_id="r"
    )


def test_a_model_that_tells_no_language_heard_the_one_that_was_named() -> None:
    whole = listen(service(Short(Heard(text="x"))), model="short", languages=("de",))[-1]

    assert isinstance(whole, Transcription)
    assert whole.language == "de"


def test_sentences_are_told_as_a_connection_hears_them() -> None:
    live = Live("一。", "二。", "三。")

    told = listen(service(live), model="live")

    assert [piece.text for piece in told if isinstance(piece, Heard)] == ["一。", "二。", "三。", ""]
    assert (text_of(told), live.is_closed) == ("一。二。三。", True)


def test_a_connection_that_breaks_is_closed() -> None:
    live = Live("一。", "breaks")

    with pytest.raises(UpstreamBroken):
        listen(service(live), model="live")

    assert live.is_closed


def test_a_task_tells_all_words_at_its_end_and_the_true_length() -> None:
    told = listen(service(), format="verbose_json")

    assert told == [
        Heard(text="timed", request_id="r"),
        Transcription(text="timed", duration_s=5.0, sentences=SAID, request_id="r"),
    ]


def test_the_length_of_a_link_is_what_the_vendor_says() -> None:
    whole = listen(service(), LINK)[-1]

    assert isinstance(whole, Transcription)
    assert whole.duration_s == 7.0


def test_speakers_are_asked_for_only_where_they_are_shown() -> None:
    voices = File("voices")
    of = service(voices)

    listen(of, model="voices", format="srt")
    assert voices.options == HearingOptions()

    whole = listen(of, model="voices", format="diarized_json", speakers=("Ann", "Ben"))[-1]
    assert voices.options == HearingOptions(with_speakers=True, speakers=2)
    assert isinstance(whole, Transcription)
    assert whole.names == {1: "Ann"}

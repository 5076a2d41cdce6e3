"""`/v1/audio/speech`: a text read aloud, as one stream in the format that was asked for.

How it works.  The text is made speakable as a turn's is, and cut into passages (`protocol/passages.py`), each one call
to the vendor. `services/openai/narration.py` reads them ahead, because a client that plays while it reads would
otherwise make the vendor wait for minutes. All sound goes through one encoder, so there is no seam to hear.

What a caller chose beyond the text reaches the model, is done here (speed, sample rate) or is refused by its name.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain

from protocol.errors import BadInput
from protocol.keys import ApiKey
from protocol.openai.speech import SpeechRequest
from protocol.passages import passages
from services.catalogue import Catalogue, role_of
from services.flow import CancelToken
from services.openai.narration import Narration, Passage
from services.openai.spoken import Spoken
from services.openai.voices import resolve_voice
from services.ports import Manner, Narrator, Sound
from services.sound.encoding import check_rate, open_encoder
from services.sound.tempo import Tempo

_SILENCE_S = 0.3
"""What a text without a word is answered with, so that a client that tries a key with "." gets a sound at once."""
_BODY_BYTES = 65_536
"""For all that a body holds beside its text."""
_SEGMENT_CHARS = 300
"""For voices that keep their connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRules:
    """What an operator chose. `instructed_model` speaks when instructions are given and no vendor's model is named."""

    voice: str
    instructed_model: str
    mp3_kbps: int
    max_chars: int


class SpeechSynthesis:
    """Reads texts aloud. Threads: any."""

    def __init__(self, narrators: Callable[[str], Narrator], *, catalogue: Catalogue, rules: SpeechRules) -> None:
        self._narrators, self._catalogue, self._rules = narrators, catalogue, rules

    @property
    def most_body_bytes(self) -> int:
        """The largest body that can hold a text of acceptable length: JSON spells a character in up to 12 bytes."""
        return 12 * self._rules.max_chars + _BODY_BYTES

    def speak(self, request: SpeechRequest, *, key: ApiKey, cancel: CancelToken) -> Spoken:
        """Return the sound of a text, its first bytes known. Raises: BadInput, UpstreamError, Cancelled."""
        if len(request.input) > self._rules.max_chars:
            raise _too_long(len(request.input), self._rules.max_chars)
        narrator = self._narrators(self._model(request))
        voice = resolve_voice(request.voice_name, narrator.model, default=self._rules.voice)
        manner = manner_of(request, narrator)
        check_rate(request.response_format, request.sample_rate)
        calls = _calls(request.input, narrator)
        if not (first := next(calls, None)):
            return self._silence(request, narrator)
        narration = Narration(narrator, chain((first,), calls), voice=voice, manner=manner, key=key, cancel=cancel)
        with ExitStack() as giving_up:
            sounds = giving_up.enter_context(closing(narration.sounds()))
            spoken = self._spoken(sounds, request, rate_hz=narrator.rate_hz, speed=request.speed / manner.rate)
            giving_up.pop_all()
        return spoken

    def _model(self, request: SpeechRequest) -> str:
        """Return the vendor's model; OpenAI's names promise one that takes instructions, when there are any.

        Raises: BadInput for a model that is known to do something else.
        """
        name = self._catalogue.aliases.get(request.model, request.model)
        if request.instructions and (not name or role_of(name) == "speech"):
            return self._rules.instructed_model
        model = self._catalogue.resolve_speech(request.model)
        known = self._catalogue.find(model)
        if known and not known.kind.startswith("tts"):
            raise BadInput(f"The model '{request.model}' does not speak.", code="model_not_supported", param="model")
        return model

    def _spoken(self, sounds: Generator[Sound], request: SpeechRequest, *, rate_hz: int, speed: float) -> Spoken:
        encoder = open_encoder(
            request.response_format, from_hz=rate_hz, to_hz=request.sample_rate, mp3_kbps=self._rules.mp3_kbps
        )
        return Spoken(sounds, encoder=encoder, tempo=Tempo(rate_hz=rate_hz, speed=speed), rate_hz=rate_hz)

    def _silence(self, request: SpeechRequest, narrator: Narrator) -> Spoken:
        rate_hz = request.sample_rate or narrator.rate_hz
        pcm = bytes(2 * int(rate_hz * _SILENCE_S))
        encoder = open_encoder(
            request.response_format,
            from_hz=rate_hz,
            to_hz=request.sample_rate,
            mp3_kbps=self._rules.mp3_kbps,
            pcm_bytes=len(pcm),
        )
        silence = (Sound(pcm=piece, spoken=1) for piece in (pcm,))
        return Spoken(silence, encoder=encoder, rate_hz=rate_hz)


def _calls(text: str, narrator: Narrator) -> Iterator[Passage]:
    """Yield what to say, call by call; nothing when there is not a word in it."""
    if narrator.most_chars is not None:
        yield from ((passage,) for passage in passages(text, most=narrator.most_chars))
    elif segments := tuple(passages(text, most=_SEGMENT_CHARS)):
        yield segments


def manner_of(request: SpeechRequest, narrator: Narrator) -> Manner:
    """Return how the vendor is to speak. Raises: BadInput for what this model cannot be told."""
    chosen = {
        "language": ("language_type", "" if request.language_type.lower() == "auto" else request.language_type),
        "instructions": ("instructions", request.instructions),
        "pitch": ("pitch", request.pitch),
        "volume": ("volume", request.volume),
        "seed": ("seed", request.seed),
    }
    for field, (param, value) in chosen.items():
        if value not in ("", None) and field not in narrator.obeys:
            raise BadInput(
                f"The model '{narrator.model}' takes no '{param}'. Leave it out or name a model that does.",
                code="unsupported_parameter",
                param=param,
            )
    slowest, fastest = narrator.rates
    return Manner(
        language=request.language_type,
        instructions=request.instructions,
        rate=min(max(request.speed, slowest), fastest),
        pitch=request.pitch,
        volume=request.volume,
        seed=request.seed,
    )


def _too_long(length: int, most: int) -> BadInput:
    message = (
        f"Invalid 'input': text too long. Expected at most {most} characters (this server's MAX_SPEECH_CHARS),"
        f" but got {length}."
    )
    return BadInput(message, code="string_above_max_length", param="input")

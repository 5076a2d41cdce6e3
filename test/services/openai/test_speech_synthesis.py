from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from emulator.ear import decode_audio
from protocol.errors import BadInput, UpstreamBroken
from protocol.keys import ApiKey
from protocol.openai.speech import SpeechRequest
from services.catalogue import Catalogue
from services.flow import CancelToken
from services.openai.speech_synthesis import SpeechRules, SpeechSynthesis
from services.openai.spoken import Spoken
from services.ports import PLAIN
from test.services.narrators import ScriptedNarrator, said

RULES = SpeechRules(voice="Kai", instructed_model="qwen-audio-3.0-tts-flash", mp3_kbps=64, max_chars=20_000)
CANCELS: list[CancelToken] = []
EVERYTHING = frozenset({"language", "instructions", "pitch", "volume", "seed"})


def speak(
    narrator: ScriptedNarrator,
    *,
    rules: SpeechRules = RULES,
    aliases: Mapping[str, str] | None = None,
    **fields: object,
) -> Spoken:
    """Speak a request as bare PCM, unless it says otherwise."""
    wish = msgspec.convert({"input": "你好。", "response_format": "pcm", **fields}, SpeechRequest)

    def build(model: str) -> ScriptedNarrator:
        narrator.model = model
        return narrator

    synthesis = SpeechSynthesis(build, catalogue=Catalogue(aliases=aliases or {}), rules=rules)
    CANCELS.append(CancelToken())
    return synthesis.speak(wish, key=ApiKey("k"), cancel=CANCELS[-1])


def test_a_text_is_spoken_by_the_default_model_and_voice() -> None:
    narrator = ScriptedNarrator()

    spoken = speak(narrator)

    assert b"".join(spoken) == said("你好。")
    assert (narrator.model, narrator.voices, narrator.manners) == ("qwen3-tts-flash", ["Kai"], [PLAIN])
    assert spoken.request_id == "id of 你好。"


def test_what_cannot_be_said_is_not_sent_to_the_vendor() -> None:
    narrator = ScriptedNarrator()

    speak(narrator, input="**你好**😀，见 https://example.com/x?y=z。").close()

    assert narrator.asked == ["你好，见 example点com。"]


@pytest.mark.parametrize("text", [".", "。", "!?", "😀", " ", "\n\n", "***"])
def test_a_text_without_a_word_is_a_moment_of_silence_made_here(text: str) -> None:
    narrator = ScriptedNarrator()

    sound = b"".join(speak(narrator, input=text))

    assert sound == bytes(14_400) and narrator.asked == []


def test_silence_says_its_length_in_a_wav() -> None:
    data = b"".join(speak(ScriptedNarrator(), input=".", response_format="wav", sample_rate=8000))

    assert int.from_bytes(data[40:44], "little") == len(data) - 44 == 4800


def test_a_voice_that_keeps_its_connection_speaks_all_in_one_call() -> None:
    narrator, text = ScriptedNarrator(most_chars=None), "他走过一座桥，又走过一片树林，天黑了。" * 30

    sound = b"".join(speak(narrator, input=text))

    assert sound == said(text)
    assert len(narrator.asked) > 1 and len(narrator.voices) == 1


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("rates", [(1.0, 1.0), (0.5, 2.0)])
def test_the_speed_is_the_voices_own_as_far_as_it_goes(speed: float, rates: tuple[float, float]) -> None:
    narrator, text = ScriptedNarrator(rates=rates), "天上的星星不说话。"

    sound = b"".join(speak(narrator, input=text, speed=speed))

    own = min(max(speed, rates[0]), rates[1])
    assert narrator.manners[0].rate == own
    assert abs(len(sound) / len(said(text)) * speed / own - 1) < 0.03


def test_all_that_a_model_can_be_told_reaches_it() -> None:
    narrator = ScriptedNarrator(obeys=EVERYTHING)
    told = {"language_type": "Japanese", "instructions": "Whisper.", "pitch": 1.5, "volume": 0, "seed": 7}

    speak(narrator, model="cosyvoice-v3-flash", **told).close()

    expected = {**told, "language": told["language_type"]}
    del expected["language_type"]
    assert narrator.manners == [replace(PLAIN, **expected)]


@pytest.mark.parametrize(
    ("param", "value"),
    [("language_type", "Japanese"), ("instructions", "Whisper."), ("pitch", 1.0), ("volume", 0), ("seed", 0)],
)
def test_what_a_model_cannot_be_told_is_refused_by_its_name(param: str, value: object) -> None:
    with pytest.raises(BadInput, match="qwen3-tts-flash") as refusal:
        speak(ScriptedNarrator(), model="qwen3-tts-flash", **{param: value})

    assert (refusal.value.param, refusal.value.code) == (param, "unsupported_parameter")


def test_the_language_auto_says_nothing_and_is_never_refused() -> None:
    narrator = ScriptedNarrator()

    speak(narrator, language_type="Auto").close()

    assert narrator.asked == ["你好。"]


@pytest.mark.parametrize("model", ["", "tts-1", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15"])
def test_openais_names_with_instructions_get_a_model_that_takes_them(model: str) -> None:
    narrator = ScriptedNarrator(obeys=EVERYTHING)

    speak(narrator, model=model, voice="alloy", instructions="Whisper.").close()

    assert narrator.model == "qwen-audio-3.0-tts-flash"
    assert (narrator.voices, narrator.manners[0].instructions) == (["longanlingxin"], "Whisper.")


def test_an_operators_name_for_a_model_is_that_model_also_with_instructions() -> None:
    narrator = ScriptedNarrator(obeys=EVERYTHING)

    speak(narrator, model="tts-1", instructions="Whisper.", aliases={"tts-1": "cosyvoice-v3-flash"}).close()

    assert narrator.model == "cosyvoice-v3-flash"


@pytest.mark.parametrize("model", ["qwen-plus", "whisper-1", "gpt-4o", "qwen3-asr-flash"])
def test_a_model_that_does_something_else_is_refused(model: str) -> None:
    with pytest.raises(BadInput, match="does not speak") as refusal:
        speak(ScriptedNarrator(), model=model)

    assert refusal.value.param == "model"


def test_a_text_that_is_too_long_is_refused_with_the_settings_name() -> None:
    with pytest.raises(BadInput, match="MAX_SPEECH_CHARS") as refusal:
        speak(ScriptedNarrator(), input="a" * 21, rules=replace(RULES, max_chars=20))

    assert (refusal.value.param, refusal.value.code) == ("input", "string_above_max_length")


def test_what_fails_before_the_first_byte_is_raised_at_once() -> None:
    broken = UpstreamBroken("broken")

    with pytest.raises(UpstreamBroken):
        speak(ScriptedNarrator(script={"你好。": [[broken], [broken]]}))


def test_the_first_bytes_leave_with_the_first_sound() -> None:
    narrator = ScriptedNarrator(script={"你好。": [[bytes(1920), bytes(1920), bytes(960)]]})

    spoken = speak(narrator)
    pieces = list(spoken)

    assert [len(piece) for piece in pieces] == [1920, 2880]


def test_a_large_first_sound_leaves_in_two_pieces() -> None:
    spoken = speak(ScriptedNarrator(script={"你好。": [[bytes(48_000)]]}))

    assert [len(piece) for piece in spoken] == [1920, 46_080]


def test_giving_up_stops_the_vendor() -> None:
    spoken, cancel = speak(ScriptedNarrator(script={"你好。": [[bytes(1920)] * 10_000]})), CANCELS[-1]
    is_stopped_before = cancel.is_cancelled

    spoken.close()

    assert (is_stopped_before, cancel.is_cancelled) == (False, True)


def test_an_encoder_that_cannot_be_opened_stops_the_vendor() -> None:
    narrator = ScriptedNarrator(script={"你好。": [[bytes(1920)] * 10_000]})

    with pytest.raises(TypeError):
        speak(narrator, response_format="mp3", rules=replace(RULES, mp3_kbps="no number"))

    assert CANCELS[-1].is_cancelled


def test_usage_counts_what_the_vendor_billed_and_the_sound() -> None:
    spoken = speak(ScriptedNarrator(), input="他走过一座桥。" * 40)

    sound = b"".join(spoken)

    assert spoken.usage.input_tokens == 280
    assert spoken.usage.output_tokens == pytest.approx(len(sound) / 48_000 * 12.5, abs=1)
    assert spoken.usage.total_tokens == spoken.usage.input_tokens + spoken.usage.output_tokens


def test_mp3_is_one_stream_over_all_passages() -> None:
    text = "天上的星星不说话。" * 30

    data = b"".join(speak(ScriptedNarrator(), input=text, response_format="mp3"))

    pcm, rate_hz = decode_audio(data)
    assert abs(len(pcm) / 2 / rate_hz - len(said(text)) / 48_000) < 0.08

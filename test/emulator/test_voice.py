"""The voices, the phrase ear, and the command line."""

import base64

import pytest

from emulator.__main__ import main
from emulator.listeners import AutoEar, has_sphinx, make_ear, phrases
from emulator.voice import ToneVoice, espeak, has_espeak, make_voice, speak
from test.emulator.sounds import noise, silence


@pytest.fixture(scope="module")
def human_voice() -> None:
    if not has_espeak():
        pytest.fail("espeak-ng is missing: `make test` installs it.", pytrace=False)


@pytest.fixture(scope="module")
def phrase_ear() -> AutoEar:
    if not has_sphinx():
        pytest.fail("pocketsphinx is missing: requirements.txt has it for Python before 3.14.", pytrace=False)
    return AutoEar()


def test_a_byte_lasts_60_ms_and_an_utterance_ends_in_silence() -> None:
    pcm = speak("ab", rate_hz=16000)

    assert len(pcm) == 3 * 960 * 2 and not any(pcm[-1920:]) and any(pcm[:1920])


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 24000, 44100, 48000])
@pytest.mark.parametrize("duration_ms", [1, 60, 100, 306, 5000])
def test_pieces_of_an_utterance_make_the_whole(rate_hz: int, duration_ms: int) -> None:
    utterance, pieces = ToneVoice().begin(rate_hz), []
    utterance.add("今天")
    utterance.add("天气")
    utterance.finish()
    while utterance.pending_ms:
        pieces.append(base64.b64decode(utterance.take_base64(duration_ms)[0]))

    assert b"".join(pieces) == speak("今天天气", rate_hz=rate_hz)


@pytest.mark.usefixtures("human_voice")
def test_the_voice_for_people_speaks_chinese_and_english() -> None:
    utterance = make_voice("auto").begin(24000)
    utterance.add("你好，世界。")
    utterance.add("Hello, world.")
    utterance.finish()

    assert 1000 < utterance.pending_ms < 8000
    piece, lasts_ms = utterance.take_base64(306)
    assert lasts_ms == 306 and len(base64.b64decode(piece)) == 306 * 48


@pytest.mark.usefixtures("human_voice")
@pytest.mark.parametrize("phrase", ["turn on the light", "what is the weather today", "tell me a joke"])
def test_the_phrase_ear_understands_its_phrases(phrase_ear: AutoEar, phrase: str) -> None:
    heard = phrase_ear.hear(espeak(phrase, rate_hz=24000), rate_hz=24000)

    assert phrase in phrases() and heard.lower() == phrase


@pytest.mark.usefixtures("human_voice")
@pytest.mark.parametrize(
    "sound",
    [lambda: espeak("今天天气怎么样", rate_hz=16000), lambda: noise(2000, rate_hz=16000), lambda: silence(2000)],
)
def test_what_the_phrase_ear_does_not_understand_is_empty(phrase_ear: AutoEar, sound) -> None:
    assert phrase_ear.hear(sound(), rate_hz=16000) == ""


def test_the_automatic_ear_hears_the_alphabet_exactly() -> None:
    assert make_ear("auto").hear(speak("任何文字 123"), rate_hz=24000) == "任何文字 123"


def test_the_command_line_says_and_hears(tmp_path, capsys) -> None:
    file = tmp_path / "a.wav"

    assert main(["say", "你好，世界", str(file), "--rate", "8000"]) == 0
    assert main(["hear", str(file)]) == 0

    assert capsys.readouterr().out == "你好，世界\n"


def test_the_command_line_tells_what_it_cannot_hear(tmp_path, capsys) -> None:
    file = tmp_path / "a.txt"
    file.write_text("no sound")

    assert main(["hear", str(file)]) == 1
    assert "not a sound file" in capsys.readouterr().err

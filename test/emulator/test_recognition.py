"""Recognition in one call: languages, context, limits, silence, and every kind of file."""

import base64

import pytest

from emulator.containers import decode_audio, decode_channels
from emulator.ear import hear
from emulator.voice import pcm_to_wav, speak
from test.emulator.sounds import in_container, silence, stereo

TEXT = "你好，世界。"
WAV = pcm_to_wav(speak(TEXT, rate_hz=16000), rate_hz=16000)


@pytest.fixture
def recognise(emulator, http):
    """Ask the native surface; the answer is (status, JSON)."""

    def ask(wav: bytes = WAV, *, system: str = "", headers: dict | None = None, url: str = "", **options):
        audio = url or "data:;base64," + base64.b64encode(wav).decode()
        messages = [{"role": "system", "content": [{"text": system}]}] if system else []
        messages.append({"role": "user", "content": [{"audio": audio}]})
        body = {"model": "qwen3-asr-flash", "input": {"messages": messages}, "parameters": {"asr_options": options}}
        path = f"{emulator.native_url}/services/aigc/multimodal-generation/generation"
        answer = http.post(path, json=body, headers=headers, timeout=10)
        return answer.status_code, answer.json()

    return ask


def test_a_language_that_is_named_stands_in_the_annotations(recognise) -> None:
    _, body = recognise(language="yue")

    message = body["output"]["choices"][0]["message"]
    assert message["annotations"] == [{"language": "yue", "type": "audio_info", "emotion": "neutral"}]
    assert message["content"] == [{"text": TEXT}]


def test_an_unknown_language_is_refused_on_both_surfaces(recognise, chat) -> None:
    part = {"type": "input_audio", "input_audio": {"data": "data:;base64," + base64.b64encode(WAV).decode()}}

    native, compatible = recognise(language="xx"), chat("qwen3-asr-flash", [part], asr_options={"language": "xx"})

    assert native[0] == 400 and native[1]["message"].endswith("or 'sv': parameters.asr_options.language")
    assert compatible.status_code == 400 and "asr_options.language" in compatible.text


def test_the_context_is_noted_in_the_journal(recognise, emulator, key) -> None:
    recognise(system="Words: Qwen, Bailian")

    heard = next(entry for entry in emulator.journal(key) if entry["kind"] == "heard")
    assert (heard["context"], heard["text"]) == ("Words: Qwen, Bailian", TEXT)


def test_started_seconds_are_billed(recognise) -> None:
    _, body = recognise(pcm_to_wav(speak(TEXT) + silence(1000), rate_hz=24000))

    assert body["usage"]["seconds"] == 3


def test_silence_is_an_answer_without_text(recognise, chat) -> None:
    wav = pcm_to_wav(silence(800), rate_hz=24000)
    part = {"type": "input_audio", "input_audio": {"data": "data:;base64," + base64.b64encode(wav).decode()}}

    (status, native), compatible = recognise(wav), chat("qwen3-asr-flash", [part])

    assert (status, native["output"]["choices"][0]["message"]["content"]) == (200, [])
    assert compatible.json()["choices"][0]["message"]["content"] == ""


def test_five_minutes_are_heard_and_a_second_more_is_too_long(recognise) -> None:
    five, more = (pcm_to_wav(silence(seconds * 1000, rate_hz=8000), rate_hz=8000) for seconds in (300, 301))

    (heard, _), (status, body) = recognise(five), recognise(more)

    assert heard == 200
    assert (status, body["message"]) == (400, "The audio is too long: the limit is 300 seconds.")


def test_more_than_ten_megabytes_are_refused(recognise, emulator, http) -> None:
    status, body = recognise(bytes(8 * 1024 * 1024))

    assert (status, body["message"]) == (400, "Exceeded limit on max bytes per data-uri item : 10485760")


def test_a_large_file_behind_an_address_is_refused(recognise, emulator) -> None:
    emulator._vendor.files.put("oss://big", bytes(10 * 1024 * 1024 + 1), "audio/x-wav")

    status, body = recognise(url="oss://big", headers={"X-DashScope-OssResourceResolve": "enable"})

    assert (status, body["message"]) == (400, "Multimodal file size is too large")


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("adts", "aac"), ("aiff", "pcm_s16be"), ("asf", "wmav2"), ("avi", "libmp3lame"), ("flac", "flac"),
        ("flv", "libmp3lame"), ("matroska", "libopus"), ("mp3", "libmp3lame"), ("mp4", "aac"), ("mpeg", "mp2"),
        ("ogg", "libopus"), ("wav", "pcm_s16le"), ("webm", "libopus"),
    ],
)  # fmt: skip
def test_every_kind_of_file_is_understood(container: str, codec: str) -> None:
    sound = silence(300, rate_hz=48000) + speak("Hi 你好。", rate_hz=48000)
    file = in_container(sound, rate_hz=48000, container=container, codec=codec)

    pcm, rate_hz = decode_audio(file)

    assert hear(pcm, rate_hz=rate_hz) == "Hi 你好。"


def test_telephone_files_are_decoded() -> None:
    file = in_container(speak("Hi", rate_hz=8000), rate_hz=8000, container="amr", codec="amr_nb")

    pcm, rate_hz = decode_audio(file)

    assert rate_hz == 8000 and abs(len(pcm) / 2 / 8000 - 0.18) < 0.05


def test_the_channels_of_a_file_are_heard_each_for_itself() -> None:
    file = in_container(
        stereo(speak("left"), speak("right")), rate_hz=24000, container="wav", codec="pcm_s16le", layout="stereo"
    )

    channels, rate_hz = decode_channels(file)

    assert [hear(pcm, rate_hz=rate_hz) for pcm in channels] == ["left", "right"]

"""Models that answer in a stream only, that speak, and that translate."""

import base64
import json

import pytest

from emulator.ear import hear
from emulator.voice import pcm_to_wav, speak
from test.emulator.sse import chunks, deltas

SPEAKING = {"modalities": ["text", "audio"], "audio": {"voice": "Cherry", "format": "wav"}}
STREAM_ONLY = "This model only support stream mode, please enable the stream parameter to access the model."


def sound(text: str) -> dict:
    data = base64.b64encode(pcm_to_wav(speak(text, rate_hz=16000), rate_hz=16000)).decode()
    return {"type": "input_audio", "input_audio": {"data": f"data:;base64,{data}", "format": "wav"}}


def written(text: str) -> str:
    return "".join(delta.get("content") or "" for delta in deltas(text))


def spoken(text: str) -> str:
    pcm = b"".join(base64.b64decode(d["audio"]["data"]) for d in deltas(text) if "data" in d.get("audio", {}))
    return hear(pcm, rate_hz=24000)


@pytest.mark.parametrize("model", ["qwen3.5-omni-plus", "qwen3-omni-flash", "qwen3.8-omni-flash"])
def test_an_omni_model_refuses_a_whole_answer(chat, model: str) -> None:
    answer = chat(model)

    assert answer.status_code == 400 and answer.json()["error"]["message"] == STREAM_ONLY


def test_sound_is_refused_for_a_whole_answer_in_words_of_its_own(chat) -> None:
    answer = chat("qwen3.5-omni-flash", **SPEAKING)

    assert answer.json()["error"]["message"] == "'audio' output only support with stream=true"


@pytest.mark.parametrize("model", ["qwq-plus", "qvq-max"])
def test_a_model_that_always_thinks_refuses_a_whole_answer_where_it_is_still_served(chat, scenario, model: str) -> None:
    scenario(models={"retired": "served"})

    assert chat(model).json()["error"]["message"] == STREAM_ONLY
    assert written(chat(model, stream=True).text).startswith("You said: Hello.")


def test_an_open_thinking_model_answers_whole_only_without_thinking(chat, scenario) -> None:
    scenario(models={"retired": "served"})

    refused, served = chat("qwen3-32b"), chat("qwen3-32b", enable_thinking=False)

    message = "parameter.enable_thinking must be set to false for non-streaming calls"
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, message)
    assert served.status_code == 200


def test_an_omni_answer_is_written_then_spoken_as_bare_pcm(chat, scenario) -> None:
    scenario(replies=["你好。"])

    answer = chat("qwen3.5-omni-plus", stream=True, stream_options={"include_usage": True}, **SPEAKING)

    audio = [delta["audio"] for delta in deltas(answer.text) if "audio" in delta]
    assert (written(answer.text), spoken(answer.text)) == ("你好。", "你好。")
    assert {piece["id"] for piece in audio} == {f"audio_{answer.headers['x-request-id']}"}
    assert all(piece["expires_at"] > 1_700_000_000 for piece in audio)
    assert chunks(answer.text)[-1]["usage"]["completion_tokens_details"] == {"audio_tokens": 13, "text_tokens": 2}


@pytest.mark.parametrize(
    ("model", "habits"),
    [("qwen3.5-omni-plus", {"omni": {"text_in_audio": True}}), ("qwen-omni-turbo", {"models": {"retired": "served"}})],
)
def test_the_older_generation_writes_into_the_audio_object(chat, scenario, model: str, habits: dict) -> None:
    scenario(replies=["你好。"], **habits)

    answer = chat(model, stream=True, **SPEAKING)

    transcript = "".join(delta.get("audio", {}).get("transcript", "") for delta in deltas(answer.text))
    assert (transcript, written(answer.text), spoken(answer.text)) == ("你好。", "", "你好。")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"audio": {"voice": "alloy", "format": "wav"}}, "alloy"),
        ({"audio": {"voice": "Cherry", "format": "mp3"}}, "audio.format"),
        ({"audio": "Cherry"}, "audio"),
        ({"modalities": ["audio"]}, "modalities"),
        ({"enable_thinking": True}, "enable_thinking"),
    ],
)
def test_a_sound_that_cannot_be_made_is_refused(chat, options: dict, named: str) -> None:
    answer = chat("qwen3-omni-flash", stream=True, **{**SPEAKING, **options})

    assert answer.status_code == 400 and named in answer.text


@pytest.mark.parametrize("model", ["qwen-plus", "qwen3.8-omni-flash"])
def test_a_model_without_a_voice_is_not_made_to_speak(chat, model: str) -> None:
    assert chat(model, stream=True, **SPEAKING).status_code == 400


def test_an_omni_model_hears_what_it_is_sent(chat) -> None:
    answer = chat("qwen3-omni-flash", [sound("What is this?")], stream=True, stream_options={"include_usage": True})

    assert written(answer.text).startswith("You said: What is this?")
    assert chunks(answer.text)[-1]["usage"]["prompt_tokens_details"]["audio_tokens"] == 13


def test_live_translation_gives_the_heard_text_in_the_other_language(chat) -> None:
    options = {"translation_options": {"source_lang": "zh", "target_lang": "en"}, "stream": True}

    answer = chat("qwen3-livetranslate-flash", [sound("你好，世界。")], **options, **SPEAKING)

    assert (written(answer.text), spoken(answer.text)) == ("[en] 你好，世界。", "[en] 你好，世界。")


@pytest.mark.parametrize(
    ("messages", "options"),
    [
        ([{"role": "user", "content": "hi"}], {}),
        ([{"role": "user", "content": "hi"}], {"translation_options": {"source_lang": "en"}}),
        (
            [{"role": "system", "content": "x"}, {"role": "user", "content": "hi"}],
            {"translation_options": {"target_lang": "zh"}},
        ),
    ],
)
@pytest.mark.parametrize("model", ["qwen3-livetranslate-flash", "qwen-mt-flash"])
def test_translation_wants_a_target_and_one_user_message(chat, model: str, messages: list, options: dict) -> None:
    assert chat(model, messages, stream=True, **options).status_code == 400


def test_live_translation_is_streamed_only(chat) -> None:
    answer = chat("qwen3-livetranslate-flash", [sound("hi")], translation_options={"target_lang": "zh"})

    assert answer.json()["error"]["message"] == STREAM_ONLY


@pytest.mark.parametrize(("model", "is_cumulative"), [("qwen-mt-plus", True), ("qwen-mt-flash", False)])
def test_the_large_translation_model_streams_the_whole_text_so_far(chat, model: str, is_cumulative: bool) -> None:
    answer = chat(model, "Good morning.", stream=True, translation_options={"target_lang": "Chinese"})

    texts = [delta["content"] for delta in deltas(answer.text)]
    whole = "[Chinese] Good morning."
    assert all(whole.startswith(text) for text in texts) == is_cumulative
    assert (texts[-1] if is_cumulative else "".join(texts)) == whole


def test_a_sound_that_is_none_is_refused_as_one_line(chat) -> None:
    part = {"type": "input_audio", "input_audio": {"data": "data:;base64,AAAA"}}

    answer = chat("qwen3-omni-flash", [part], stream=True)

    assert answer.status_code == 400
    assert json.loads(answer.text.removeprefix("data: "))["error"]["code"] == "invalid_parameter_error"


@pytest.mark.parametrize(("retired", "status"), [("403", 403), ("404", 404), ("served", 200)])
def test_what_becomes_of_a_retired_model_can_be_chosen(chat, scenario, retired: str, status: int) -> None:
    scenario(models={"retired": retired})

    assert chat("qwen-turbo").status_code == status

"""OpenAI's SDKs, four generations in Python and one in JavaScript, unmodified, take this server for OpenAI's."""

import re

import pytest

from test.clients.conftest import QUESTION, Walk

REPLY = "You said: What is the weather today? I am the built-in emulator. Set QWEN_API_KEY to talk with a real model."
OURS = ("qwen-plus", "whisper-1", "tts-1", "gpt-4o-mini", "my/model")


def test_the_models_are_listed_with_those_that_clients_ask_for(walk: Walk) -> None:
    assert set(OURS) <= set(walk.steps["models_listed"])


def test_one_model_is_told_even_with_a_slash_in_its_name(walk: Walk) -> None:
    assert walk.steps["model_retrieved"] == ["qwen-plus", "model", True, True]
    assert walk.steps["model_with_slash"] == "my/model"


def test_a_model_that_does_not_exist_is_not_found(walk: Walk) -> None:
    assert walk.steps["model_unknown"][:3] == ["NotFoundError", 404, "model_not_found"]


def test_a_chat_is_answered_whole(walk: Walk) -> None:
    assert walk.steps["chat_whole"] == [REPLY, "assistant", "stop", True]
    assert walk.steps["chat_alias"] == REPLY


def test_a_chat_streams_with_one_id(walk: Walk) -> None:
    assert walk.steps["chat_stream"] == [REPLY, "assistant", "stop", 1]


def test_usage_comes_last_where_asked_for(walk: Walk) -> None:
    assert walk.steps["chat_stream_usage"] == [[], True, True]


def test_a_tool_is_called_and_its_result_answered_in_words(walk: Walk) -> None:
    assert walk.steps["chat_tools"] == ["tool_calls", "get_weather", {"city": "Paris"}, "It is sunny."]


def test_a_streamed_tool_call_has_one_id_and_one_name(walk: Walk) -> None:
    assert walk.steps["chat_tools_stream"] == ["tool_calls", ["get_weather"], {"city": "Paris"}, 1]


def test_json_pictures_and_the_vendors_own_parameters_are_understood(walk: Walk) -> None:
    assert walk.steps["chat_json"] == "<class 'dict'>"
    assert "I see 1 picture." in walk.steps["chat_picture"]
    assert walk.steps["chat_extra"] == "Sunny."


@pytest.mark.parametrize(
    ("step", "refusal"),
    [
        ("wrong_key", ["AuthenticationError", 401, "invalid_api_key", None]),
        ("wrong_model", ["NotFoundError", 404, "model_not_found", None]),
        ("wrong_parameter", ["BadRequestError", 400, "invalid_type", "temperature"]),
        ("wrong_parameter_stream", ["BadRequestError", 400, "invalid_type", "temperature"]),
        ("busy", ["RateLimitError", 429, "rate_limit_exceeded", None]),
    ],
)
def test_a_refusal_raises_the_sdks_own_class(walk: Walk, step: str, refusal: list[object]) -> None:
    assert walk.steps[step] == [*refusal, "req_"]


def test_bad_sound_and_a_bad_voice_are_named_in_the_refusal(walk: Walk) -> None:
    assert walk.steps["transcript_garbage"][:2] == ["BadRequestError", 400]
    assert walk.steps["transcript_garbage"][3] == "file"
    assert walk.steps["speech_bad_voice"][:2] == ["BadRequestError", 400]
    assert walk.steps["speech_bad_voice"][3] == "voice"


def test_the_sdk_tries_again_when_the_vendor_is_busy(walk: Walk) -> None:
    assert walk.steps["busy_once_then_answered"] == "ok"


def test_a_stream_that_breaks_raises_instead_of_ending(walk: Walk) -> None:
    is_begun, kind, code = walk.steps["broken_stream"]

    assert is_begun and (kind, code) == ("server_error", "upstream_error")


@pytest.mark.parametrize("step", ["transcript", "transcript_bytes"])
def test_speech_is_recognised(walk: Walk, step: str) -> None:
    assert walk.steps[step] == QUESTION


def test_a_verbose_transcript_has_its_times(walk: Walk) -> None:
    text, duration_s, first, is_forward, has_words = walk.steps["transcript_verbose"]

    assert (text, first.strip(), is_forward, has_words) == (QUESTION, QUESTION, True, True)
    assert 0.5 < duration_s < 10


def test_captions_are_texts(walk: Walk) -> None:
    assert walk.steps["transcript_text"].strip() == QUESTION
    assert re.match(r"1\n00:00:00,\d{3} --> 00:00:0\d,\d{3}\n" + re.escape(QUESTION), walk.steps["transcript_srt"])
    assert walk.steps["transcript_vtt"].startswith("WEBVTT\n\n")


def test_a_transcript_streams(walk: Walk) -> None:
    assert walk.steps["transcript_stream"] == [QUESTION, "transcript.text.done", QUESTION]


@pytest.mark.parametrize("step", ["speech", "speech_stream"])
def test_speech_is_said_to_the_character(walk: Walk, step: str) -> None:
    assert walk.steps[step] is True
    assert walk.heard(step) == "你好，世界。"


def test_speech_is_mp3_unless_asked_otherwise(walk: Walk) -> None:
    assert walk.steps["speech_mp3"] == ["audio/mpeg", True]


def test_pictures_are_drawn_as_files_and_as_links(walk: Walk) -> None:
    assert walk.steps["picture"] == [1, "iVBOR", None]
    assert walk.steps["picture_links"] == [True, True, True]
    assert walk.steps["picture_stream"] == ["image_generation.completed", "iVBOR"]


def test_pictures_are_edited_and_varied(walk: Walk) -> None:
    assert walk.steps["picture_edited"] == "iVBOR"
    assert walk.steps["picture_varied"] == 2


def test_too_many_pictures_are_refused(walk: Walk) -> None:
    assert walk.steps["picture_bad_count"] == ["BadRequestError", 400, "invalid_value", "n", "req_"]


def test_a_video_is_made_and_downloaded(walk: Walk) -> None:
    assert walk.steps["video"] == ["queued", "completed", "1280x720", "8", "ftyp"]


def test_videos_are_remixed_listed_and_deleted(walk: Walk) -> None:
    assert walk.steps["video_kept"] == [True, True, True, "video.deleted"]


def test_a_video_of_an_impossible_size_is_refused(walk: Walk) -> None:
    assert walk.steps["video_refused"] == ["BadRequestError", 400, "unsupported_value", "size", "req_"]

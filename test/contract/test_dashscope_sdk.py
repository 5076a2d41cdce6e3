"""The vendor's SDK, 2.0.x and 1.24.x, unmodified, takes the emulator for the real service."""

from test.contract.conftest import QUESTION, Walk

REPLY = "我听到你说：你好，请问今天天气怎么样？我是内置的模拟器，填好 QWEN_API_KEY 就能和真正的模型对话。"
SPOKEN = [
    "response.created",
    "response.output_item.added",
    "response.content_part.added",
    "response.audio.delta",
    "response.audio.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.done",
]


def without_repeats(kinds: list[str]) -> list[str]:
    return [kind for n, kind in enumerate(kinds) if n == 0 or kinds[n - 1] != kind]


def test_the_two_generations_are_the_two_that_people_have(walk: Walk) -> None:
    assert walk.steps["version"].startswith(("2.", "1.24."))


def test_a_chat_is_answered_whole(walk: Walk) -> None:
    assert walk.steps["chat_whole"] == [200, REPLY, True]


def test_a_prompt_is_answered_as_text(walk: Walk) -> None:
    assert walk.steps["chat_prompt"].startswith("我听到你说：你好。")


def test_a_chat_streams_deltas(walk: Walk) -> None:
    deltas = walk.steps["chat_stream"]

    assert "".join(deltas) == REPLY and len(deltas) > 10


def test_a_chat_streams_cumulative_text_where_asked(walk: Walk) -> None:
    texts = walk.steps["chat_stream_cumulative"]

    assert texts[-1] == REPLY and all(REPLY.startswith(text) for text in texts)


def test_errors_keep_status_code_and_message(walk: Walk) -> None:
    message = "Temperature should be in [0.0, 2.0)"

    assert walk.steps["chat_bad_parameter"] == [400, "InvalidParameter", message]
    assert walk.steps["chat_bad_parameter_stream"] == [[400, "InvalidParameter"]]
    assert walk.steps["chat_wrong_key"] == [401, "InvalidApiKey"]
    assert walk.steps["chat_retired_model"] == [403, "Endpoint.AccessDenied"]


def test_a_picture_is_seen(walk: Walk) -> None:
    assert "我看到了1张图片。" in walk.steps["vision"][0]["text"]


def test_speech_is_recognised_from_a_data_uri_and_from_an_uploaded_file(walk: Walk) -> None:
    assert walk.steps["recognise_data_uri"] == [{"text": QUESTION}]
    assert walk.steps["recognise_local_file"] == [{"text": QUESTION}]


def test_the_upload_helper_returns_an_oss_url(walk: Walk) -> None:
    assert walk.steps["upload_helper"].startswith("oss://dashscope-instant/")


def test_synthesis_gives_a_wav_file(walk: Walk) -> None:
    assert walk.steps["synthesise_whole"] == [24000, "stop", 5]
    assert walk.heard("synthesise_whole") == "你好。"


def test_synthesis_streams_pcm(walk: Walk) -> None:
    assert walk.steps["synthesise_stream"] == ["stop", True]
    assert walk.heard("synthesise_stream") == "你好，世界。"


def test_cosyvoice_speaks_over_http_to_the_generation_that_knows_it(walk: Walk) -> None:
    steps = [walk.steps[name] for name in ("cosyvoice_whole", "cosyvoice_stream", "cosyvoice_wrong_voice")]

    if walk.steps["version"].startswith("1.24."):
        assert all(step.startswith("failed: ModuleNotFoundError") for step in steps)
        return
    assert steps[0] == [200, True, 5] and walk.heard("cosyvoice_whole") == "你好。"
    assert steps[1] == [True, True, 1] and walk.heard("cosyvoice_stream") == "你好。世界。"
    assert steps[2] == [400, "InvalidParameter", "[cosyvoice:]Engine return error code: 418"]


def test_a_recording_tells_who_spoke(walk: Walk) -> None:
    assert walk.steps["transcribe_speakers"] == [["你好。", 0], ["再见。", 0]]


def test_a_recorded_file_is_transcribed_with_word_times(walk: Walk) -> None:
    word = {"begin_time": 0, "end_time": 180, "text": "你", "punctuation": ""}

    assert walk.steps["transcribe_task"] == ["SUCCEEDED", "你好，世界。", word]


def test_a_file_that_cannot_be_fetched_fails_its_task(walk: Walk) -> None:
    assert walk.steps["transcribe_missing_file"] == ["FAILED", "InvalidFile.DownloadFailed"]


def test_videos_are_made_from_words_a_local_picture_and_two_frames(walk: Walk) -> None:
    assert walk.steps["video_from_words"] == [200, "SUCCEEDED", "a cat", 1, "ftyp"]
    assert walk.steps["video_from_a_local_picture"] == ["PENDING", "SUCCEEDED"]
    assert walk.steps["video_between_frames"] == ["SUCCEEDED", 1]


def test_a_video_that_has_not_begun_can_be_cancelled_once(walk: Walk) -> None:
    assert walk.steps["video_cancelled"] == [200, "CANCELED", 400, "UnsupportedOperation"]


def test_videos_that_a_model_cannot_make_are_refused(walk: Walk) -> None:
    message = "image-to-video model wan2.6-i2v must provide an image"

    assert walk.steps["video_refused"] == [[400, "InvalidParameter"], [400, message]]


def test_realtime_synthesis_by_commit_sends_the_recorded_frames_in_order(walk: Walk) -> None:
    kinds = ["session.created", "session.updated", "input_text_buffer.committed", *SPOKEN, "session.finished"]

    assert without_repeats(walk.steps["speak_by_commit"]) == kinds
    assert walk.heard("speak_by_commit") == "你好，世界。"


def test_realtime_synthesis_by_server_commit_needs_only_finish(walk: Walk) -> None:
    kinds = ["session.created", "session.updated", *SPOKEN, "session.finished"]

    assert without_repeats(walk.steps["speak_by_server_commit"]) == kinds
    assert walk.heard("speak_by_server_commit") == "今天天气不错。我们去公园吧"


def test_realtime_recognition_hears_what_was_said(walk: Walk) -> None:
    transcripts, kinds = walk.steps["recognise_realtime"]

    assert transcripts == [QUESTION]
    assert kinds[-1] == "session.finished" and "input_audio_buffer.speech_started" in kinds


def test_pictures_are_drawn_at_once_and_an_edit_begins_from_a_local_file(walk: Walk) -> None:
    assert walk.steps["draw_at_once"] == [200, 2, True, 1024, 2]
    assert walk.steps["draw_wrong_size"] == [400, "InvalidParameter"]
    assert walk.steps["edit_local_file"] == [200, True]


def test_pictures_are_drawn_as_tasks_four_unless_told_otherwise(walk: Walk) -> None:
    assert walk.steps["draw_as_a_task"] == ["SUCCEEDED", 4, True, "a cat", 4]
    assert walk.steps["edit_as_a_task"] == ["SUCCEEDED", True]
    assert walk.steps["draw_without_waiting"] == ["PENDING", "SUCCEEDED"]

"""`/v1/chat/vlm` over real sockets: a picture and a question in, a spoken answer out."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import urllib3

from emulator import Emulator
from test.support.device import Message, TestDevice, packets, spoken_wav
from test.support.photos import photo, picture_packets
from test.support.servers import RunningServer

QUESTION = "这是什么"
END = {"type": "end"}


@pytest.fixture
def look() -> Iterator[Callable[..., TestDevice]]:
    """Connect devices to the picture socket; they leave when the test ends."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(TestDevice(server.vlm_url))


@pytest.fixture
def device(serve: Callable[..., RunningServer], look: Callable[..., TestDevice]) -> TestDevice:
    return look(serve())


def spoken(text: str = QUESTION) -> list[Message]:
    return [packet | {"type": "audio"} for packet in packets(spoken_wav(text), size=50_000)]


def answer(device: TestDevice, *messages: Message) -> Message:
    device.sound.clear()
    device.send(*messages)
    return device.until("vlm_complete")


def shown(emulator: Emulator, key: str) -> list[int]:
    """Return how many pictures the model was shown, by call."""
    notes = [note for note in emulator.journal(key) if note["kind"] == "request"]
    calls = [note["body"]["messages"] for note in notes if "messages" in note["body"]]
    contents = [[m["content"] for m in messages if isinstance(m["content"], list)] for messages in calls]
    return [sum(part["type"] == "image_url" for parts in call for part in parts) for call in contents]


def test_a_picture_and_a_question_are_answered_in_text_and_sound(device: TestDevice) -> None:
    complete = answer(device, *picture_packets(photo()), *spoken(), END)

    assert complete["transcription"] == QUESTION
    assert "1张图片" in complete["vlm_response"]
    assert device.heard() == complete["vlm_response"].replace("1张", "一张")


def test_every_message_has_the_contracts_keys_in_the_contracts_order(device: TestDevice) -> None:
    data = photo()
    complete = answer(device, *picture_packets(data), *spoken(), END)

    keys = {name: list(body) for message in device.messages for name, body in message.items()}
    assert list(complete) == (
        "message audio_file image_file audio_size image_size duration transcription vlm_response".split()
    )
    assert keys["packet_ack"] == ["seq", "type", "received", "total"]
    assert keys["vlm_chat_started"] == ["message", "user_message", "image_url"]
    assert keys["vlm_chat_chunk"] == ["chunk", "full_response"]
    assert keys["vlm_chat_tts_complete"] == ["message", "user_message", "assistant_response", "audio_chunks"]
    assert complete["image_size"] == len(data) and complete["audio_file"].startswith("vlm_audio_")
    assert complete["image_file"].startswith("vlm_image_") and complete["image_file"].endswith(".jpg")


def test_the_words_are_the_contracts(device: TestDevice) -> None:
    complete = answer(device, *picture_packets(photo()), *spoken(), END)

    assert device.bodies("connected")[0]["message"] == "VLM连接已建立"
    assert device.bodies("vlm_chat_started")[0]["message"] == "开始生成多模态AI回答..."
    assert device.bodies("vlm_chat_tts_complete")[0]["message"] == "VLM对话和TTS合成完成"
    assert complete["message"] == "VLM处理完成"


def test_the_sound_is_counted(device: TestDevice) -> None:
    answer(device, *picture_packets(photo()), *spoken(), END)

    sounds = [body for body in device.bodies("audio_stream") if body["event"] == "data"]
    assert device.bodies("vlm_chat_tts_complete")[0]["audio_chunks"] == len(sounds) > 0


def test_sound_and_picture_come_mixed_in_any_order_and_twice(device: TestDevice) -> None:
    seen, said = picture_packets(photo("PNG", size=(600, 500)), size=500), spoken()
    mixed = [*seen[3:], *said, *seen[:3], *seen[1:2], *said[:1]]

    complete = answer(device, *mixed, END)

    assert (complete["transcription"], device.bodies("error")) == (QUESTION, [])


def test_nothing_begins_before_end(device: TestDevice) -> None:
    device.send(*picture_packets(photo()), *spoken())
    device.until("packet_ack", lambda ack: ack["type"] == "audio" and ack["received"] == ack["total"])

    device.send("not json")

    assert "error" in device.receive()


def test_several_pictures_are_shown_together(device: TestDevice) -> None:
    device.send({"type": "start"})
    first, second = picture_packets(photo()), picture_packets(photo("PNG"), image=2)

    complete = answer(device, *second, *first, *spoken(), END)

    assert "2张图片" in complete["vlm_response"]
    assert len(complete["image_files"]) == len(device.bodies("vlm_chat_started")[0]["image_urls"]) == 2


def test_a_typed_question_needs_no_sound(device: TestDevice) -> None:
    complete = answer(device, *picture_packets(photo()), {"type": "text", "text": "图里有什么？"}, END)

    assert (complete["transcription"], complete["audio_file"], complete["audio_size"]) == ("图里有什么？", "", 0)
    assert device.bodies("transcription_started") == []
    assert device.heard() == complete["vlm_response"].replace("1张", "一张")


def test_a_question_without_a_picture_is_about_the_last_one(device: TestDevice, emulator: Emulator, key: str) -> None:
    answer(device, *picture_packets(photo()), *spoken(), END)

    answer(device, *spoken("再看看"), END)
    answer(device, *picture_packets(photo("PNG")), {"type": "text", "text": "这张呢"}, END)

    assert shown(emulator, key) == [1, 1, 1]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "HEIF"])
def test_every_kind_of_picture_is_shown(device: TestDevice, kind: str) -> None:
    complete = answer(device, *picture_packets(photo(kind)), *spoken(), END)

    assert "1张图片" in complete["vlm_response"]


def test_what_is_no_picture_is_told_at_once_and_can_be_sent_again(device: TestDevice) -> None:
    device.send(*picture_packets(b"this is no picture at all"))
    error = device.until("error")

    complete = answer(device, *picture_packets(photo()), *spoken(), END)

    assert error["code"] == "unsupported_image"
    assert "1张图片" in complete["vlm_response"]


def test_a_broken_picture_ends_the_turn_with_an_error_and_the_connection_lives(device: TestDevice) -> None:
    broken = answer(device, *picture_packets(photo("PNG")[:200]), *spoken(), END)

    whole = answer(device, *picture_packets(photo()), *spoken(), END)

    assert [error["code"] for error in device.bodies("error")] == ["unsupported_image"]
    assert (broken["transcription"], broken["vlm_response"]) == (QUESTION, "")
    assert whole["vlm_response"]


def test_pictures_past_the_cap_are_refused(
    serve: Callable[..., RunningServer], look: Callable[..., TestDevice]
) -> None:
    device = look(serve(max_picture_bytes=2000))

    device.send(*picture_packets(photo("BMP"), size=900))

    assert device.until("error")["code"] == "too_large"


def test_a_packet_past_the_cap_is_refused_and_can_be_cut_smaller(device: TestDevice) -> None:
    data = photo("BMP")  # 230 KB
    device.send(*picture_packets(data, size=60_000)[:1])
    error = device.until("error")

    complete = answer(device, *picture_packets(data, size=50_000), *spoken(), END)

    assert (error["code"], error["param"]) == ("too_large", "data")
    assert complete["image_size"] == len(data)


def test_end_with_holes_names_them_and_what_is_sent_again_completes_the_question(device: TestDevice) -> None:
    seen = picture_packets(photo(), size=500)
    device.send(*seen[:1], *seen[2:], *spoken(), END)
    error = device.until("error")

    complete = answer(device, seen[1])

    assert (error["code"], error["type"], error["missing"]) == ("missing_packets", "image", [2])
    assert "1张图片" in complete["vlm_response"]


def test_end_without_a_question_is_told_and_the_picture_is_kept(device: TestDevice) -> None:
    device.send(*picture_packets(photo()), END)
    error = device.until("error")

    complete = answer(device, *spoken(), END)

    assert error["code"] == "no_audio"
    assert "1张图片" in complete["vlm_response"]


def test_silence_is_not_answered_but_completed(device: TestDevice, scenario: Callable[..., None]) -> None:
    scenario(transcripts=[""])

    complete = answer(device, *picture_packets(photo()), *spoken(), END)

    assert device.bodies("vlm_chat_started") == [{"message": "跳过对话生成：语音识别失败或结果为空"}]
    assert (complete["transcription"], complete["vlm_response"]) == ("", "")


def test_a_new_picture_interrupts_the_answer(device: TestDevice, scenario: Callable[..., None]) -> None:
    scenario(replies=["这是一个很长的回答。" * 20, "好的。"], latency={"tts_speed": 1.0, "tts_delta_ms": 60})
    device.send(*picture_packets(photo()), *spoken(), END)
    device.until("audio_stream")

    device.send(*picture_packets(photo("PNG")), *spoken("换一张"), END)
    device.until("vlm_complete")
    second = device.until("vlm_complete")

    assert device.bodies("vlm_chat_tts_complete")[0]["interrupted"] is True
    assert (second["transcription"], second["vlm_response"]) == ("换一张", "好的。")


def test_a_device_that_declares_itself_is_told_what_was_kept(device: TestDevice) -> None:
    device.send({"type": "start"})

    complete = answer(device, *picture_packets(photo()), *spoken(), END)

    kept = device.bodies("vlm_chat_tts_complete")[0]
    assert complete["oss_uploaded"] and kept["tts_success"] and kept["db_saved"]


def test_the_picture_is_behind_its_link(device: TestDevice) -> None:
    data = photo()
    answer(device, *picture_packets(data), *spoken(), END)

    response = urllib3.request("GET", device.bodies("vlm_chat_started")[0]["image_url"])

    assert (response.status, response.data) == (200, data)


def test_a_failing_model_is_named_and_completed(device: TestDevice, scenario: Callable[..., None]) -> None:
    scenario(faults=[{"stage": "chat", "kind": "status", "status": 429, "code": "Throttling.RateQuota"}])

    complete = answer(device, *picture_packets(photo()), *spoken(), END)

    assert device.bodies("error")[0]["code"] == "rate_limit_exceeded"
    assert complete["vlm_response"] == ""

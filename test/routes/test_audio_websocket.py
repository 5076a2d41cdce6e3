"""The plain protocol, byte for byte, as a device in the field sees it."""

import base64
import json
from collections.abc import Callable, Iterator

import pytest

from emulator import Emulator
from protocol.media import wav_header
from test.support.device import TestDevice, packets, spoken_wav
from test.support.servers import RunningServer
from test.support.waiting import eventually

QUESTION = "今天天气怎么样？"
ANSWER = "今天晴，最高二十度。出门记得戴帽子。"


@pytest.fixture
def device(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], scenario: Callable[..., None]
) -> TestDevice:
    scenario(replies=[ANSWER])
    return connect(serve())


def test_a_spoken_question_is_answered_in_text_and_sound(device: TestDevice) -> None:
    complete = device.turn(spoken_wav(QUESTION))

    assert complete["transcription_text"] == QUESTION
    assert complete["assistant_response"] == ANSWER
    assert device.heard() == ANSWER
    assert device.bodies("chat_chunk")[-1]["full_response"] == ANSWER
    assert "".join(body["chunk"] for body in device.bodies("chat_chunk")) == ANSWER


def test_every_message_has_the_contracts_keys_in_the_contracts_order(device: TestDevice) -> None:
    device.turn(spoken_wav(QUESTION))

    shapes = {next(iter(message)): list(next(iter(message.values()))) for message in device.messages}
    assert shapes == {
        "connected": ["message", "session_id"],
        "packet_ack": ["seq", "received", "total"],
        "transcription_started": ["message", "oss_url"],
        "chat_started": ["message", "user_message"],
        "tts_started": ["message"],
        "chat_chunk": ["chunk", "full_response"],
        "audio_stream": ["event"],
        "chat_tts_complete": [
            "message", "assistant_response", "tts_success", "segments_count", "total_segments", "db_saved",
        ],
        "audio_complete": [
            "message", "filename", "filepath", "size", "packets", "duration", "oss_uploaded", "oss_url",
            "transcription_success", "transcription_text", "chat_success", "assistant_response", "tts_success",
        ],
    }  # fmt: skip


def test_the_messages_words_are_the_contracts(device: TestDevice) -> None:
    device.turn(spoken_wav(QUESTION))

    words = {next(iter(m)): next(iter(m.values())).get("message") for m in device.messages}
    assert words == {
        "connected": "音频连接已建立",
        "packet_ack": None,
        "transcription_started": "开始语音识别...",
        "chat_started": "开始生成AI回答...",
        "tts_started": "开始语音合成...",
        "chat_chunk": None,
        "audio_stream": None,
        "chat_tts_complete": "实时对话生成和语音合成完成",
        "audio_complete": "音频接收、识别、对话生成和实时语音合成全部完成",
    }


def test_completion_tells_the_truth_of_the_recording(device: TestDevice) -> None:
    recording = spoken_wav(QUESTION)

    complete = device.turn(recording)

    assert complete["size"] == len(recording)
    assert complete["packets"] == len(packets(recording))
    assert complete["duration"] == round((len(recording) - 44) / 32_000, 2)
    assert complete["oss_uploaded"] and complete["transcription_success"] and complete["tts_success"]


def test_packets_in_any_order_and_twice_are_one_recording(device: TestDevice) -> None:
    parts = packets(spoken_wav(QUESTION))
    shuffled = [*reversed(parts[1:]), parts[3], parts[4], parts[0]]

    complete = device.turn(shuffled)

    assert complete["transcription_text"] == QUESTION
    assert [ack["received"] for ack in device.bodies("packet_ack")][-3:] == [len(parts) - 1, len(parts) - 1, len(parts)]


def test_packets_may_be_slices_of_one_base64_text(device: TestDevice) -> None:
    text = base64.b64encode(spoken_wav(QUESTION)).decode()
    slices = [text[begin : begin + 4999] for begin in range(0, len(text), 4999)]

    complete = device.turn([{"seq": n, "total": len(slices), "data": part} for n, part in enumerate(slices, 1)])

    assert complete["transcription_text"] == QUESTION


def test_a_connection_holds_many_turns_and_the_model_is_told_the_earlier_ones(
    device: TestDevice, emulator: Emulator, key: str, scenario: Callable[..., None]
) -> None:
    scenario(replies=["一。", "二。", "三。"])

    for question in ("第一问", "第二问", "第三问"):
        device.turn(spoken_wav(question))

    told = [entry["body"]["messages"] for entry in emulator.journal(key) if "messages" in entry.get("body", {})]
    assert [message["content"] for message in told[-1][1:]] == ["第一问", "一。", "第二问", "二。", "第三问"]


def test_a_late_repeat_of_a_packet_is_acknowledged_and_interrupts_nothing(
    device: TestDevice, scenario: Callable[..., None]
) -> None:
    scenario(replies=[ANSWER], latency={"tts_first_audio_ms": 300})
    parts = packets(spoken_wav(QUESTION))
    device.send(*parts)
    device.until("chat_started")

    device.send(parts[-1])
    complete = device.until("audio_complete")

    assert device.bodies("packet_ack")[-1] == {"seq": len(parts), "received": len(parts), "total": len(parts)}
    assert complete["tts_success"]


def test_a_hole_is_named_and_sending_it_completes_the_recording(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    device = connect(serve(packet_idle_s=0.5))
    parts = packets(spoken_wav(QUESTION))
    device.send(*(part for part in parts if part["seq"] not in (2, 5)))

    error = device.until("error")
    device.send(parts[1], parts[4])
    complete = device.until("audio_complete")

    assert (error["code"], error["missing"]) == ("missing_packets", [2, 5])
    assert complete["transcription_text"] == QUESTION


def test_silence_is_not_answered_but_completed(device: TestDevice) -> None:
    silence = bytes(32_000)

    complete = device.turn(wav_header(pcm_bytes=len(silence), rate_hz=16_000) + silence)

    assert device.bodies("chat_started") == [{"message": "跳过对话生成：语音识别失败或结果为空"}]
    assert not complete["transcription_success"] and not complete["chat_success"] and not complete["tts_success"]


def test_silence_opens_no_voice(device: TestDevice, emulator: Emulator, key: str) -> None:
    silence = bytes(32_000)

    device.turn(wav_header(pcm_bytes=len(silence), rate_hz=16_000) + silence)

    asked = {entry.get("model") for entry in emulator.journal(key)}
    assert not [model for model in asked if model and "tts" in model]


def test_rubbish_instead_of_sound_is_named_and_completed(device: TestDevice) -> None:
    complete = device.turn(b"this is no sound at all, only words" * 100)

    assert device.bodies("error")[0]["code"] == "unsupported_audio"
    assert complete["transcription_success"] is False


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("not json", "invalid_json"),
        ("[1,2]", "invalid_json"),
        ('{"hello":1}', "invalid_message"),
        ('{"type":"dance"}', "invalid_message"),
        ('{"seq":0,"total":3,"data":"AAAA"}', "invalid_packet"),
        ('{"seq":4,"total":3,"data":"AAAA"}', "invalid_packet"),
        ('{"seq":"1","total":3,"data":"AAAA"}', "invalid_packet"),
        ('{"seq":true,"total":3,"data":"AAAA"}', "invalid_packet"),
        ('{"seq":1,"total":3,"data":"A*AA"}', "invalid_packet"),
        ('{"seq":1,"total":3,"data":""}', "invalid_packet"),
        ('{"seq":1,"total":3}', "invalid_packet"),
        ('{"seq":1,"total":99999999,"data":"AAAA"}', "too_large"),
        (json.dumps({"seq": 1, "total": 3, "data": "AAAA" * 2800}), "too_large"),
        ('{"type":"end"}', "no_audio"),
        ('{"type":"start","codec":"vorbis"}', "invalid_message"),
        ('{"type":"start","colour":"red"}', "invalid_message"),
        ('{"type":"cancel","played_ms":-1}', "invalid_message"),
        (b"\x00\x01binary", "invalid_message"),
    ],
)
def test_bad_input_is_told_and_the_running_turn_and_the_connection_live_on(
    device: TestDevice, scenario: Callable[..., None], message: str | bytes, code: str
) -> None:
    scenario(replies=[ANSWER], latency={"tts_first_audio_ms": 100})
    device.send(*packets(spoken_wav(QUESTION)))
    device.until("chat_started")

    device.send(message)
    complete = device.until("audio_complete")

    assert [error["code"] for error in device.bodies("error")] == [code]
    assert complete["tts_success"] and device.heard() == ANSWER


def test_a_total_that_changes_is_refused_and_the_recording_goes_on(device: TestDevice) -> None:
    parts = packets(spoken_wav(QUESTION))
    device.send(parts[0], {**parts[1], "total": parts[1]["total"] + 1})

    error = device.until("error")
    complete = device.turn(parts[1:])

    assert error["code"] == "invalid_packet"
    assert complete["transcription_text"] == QUESTION


def test_a_recording_past_the_cap_is_refused_and_the_next_one_is_heard(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    device = connect(serve(max_utterance_bytes=60_000))

    device.send(*packets(bytes(64_000))[:15])
    error = device.until("error")
    complete = device.turn(spoken_wav(QUESTION))

    assert error["code"] == "too_large"
    assert complete["transcription_text"] == QUESTION


def live_packets(data: bytes) -> Iterator[dict[str, object]]:
    for packet in packets(data):
        yield {"seq": packet["seq"], "data": packet["data"]}


def test_a_live_upload_ends_with_end(device: TestDevice) -> None:
    complete = device.turn([*live_packets(spoken_wav(QUESTION)), {"type": "end"}])

    assert complete["transcription_text"] == QUESTION
    assert device.bodies("packet_ack")[0] == {"seq": 1, "received": 1, "total": None}


def test_end_with_holes_names_them_and_the_rest_completes(device: TestDevice) -> None:
    parts = list(live_packets(spoken_wav(QUESTION)))
    device.send(*(part for part in parts if part["seq"] != 3), {"type": "end"})

    error = device.until("error")
    complete = device.turn([parts[2]])

    assert (error["code"], error["missing"]) == ("missing_packets", [3])
    assert complete["transcription_text"] == QUESTION


def test_too_many_devices_are_refused_politely(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    server = serve(max_ws_sessions=1)
    first = connect(server)
    first.until("connected")

    second = connect(server)
    error = second.until("error")

    assert (error["code"], error["retryable"]) == ("too_many_sessions", True)
    with pytest.raises(ConnectionError, match="1013"):
        second.receive()
    assert first.turn(spoken_wav(QUESTION))["transcription_success"]


def test_the_turn_is_in_the_history_and_the_recording_behind_its_link(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], scenario: Callable[..., None]
) -> None:
    import urllib3

    from storage.history import open_history, sqlite_url

    scenario(replies=[ANSWER])
    server = serve()
    device = connect(server)
    recording = spoken_wav(QUESTION)

    complete = device.turn(recording)

    session_id = device.bodies("connected")[0]["session_id"]
    history = open_history(sqlite_url(server.data_dir / "history.sqlite3"))
    [turn] = history.recent(session_id, limit=5)
    history.close()
    assert (turn.user_text, turn.answer_text, turn.answer_heard) == (QUESTION, ANSWER, ANSWER)
    assert turn.usage.total_tokens > 0
    assert device.bodies("chat_tts_complete")[0]["db_saved"]
    assert urllib3.request("GET", complete["oss_url"]).data == recording


def test_the_recording_is_stored_while_it_is_being_recognised(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], scenario: Callable[..., None]
) -> None:
    scenario(faults=[{"stage": "asr", "kind": "stall"}])  # recognition does not end
    server = serve(upstream_idle_s=600)
    device = connect(server)

    device.send(*packets(spoken_wav("你好")))

    eventually(lambda: list((server.data_dir / "files").rglob("*.wav")))
    assert device.until("transcription_started")["oss_url"]

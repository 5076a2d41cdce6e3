"""A turn without network: told what came, asked what to send."""

import base64
import json
from typing import Any

from client.hearing import Codec
from client.turn import Options, Turn
from client.upload import Link, Upload, cut


def _turn(upload: Upload, **options: Any) -> Turn:
    return Turn(upload, Options(**options), at_s=0.0, codec=Codec())


def _seqs(turn: Turn, now_s: float) -> list[int | str]:
    messages = [json.loads(message) for message in turn.due(now_s)]
    return [message.get("seq", message.get("type")) for message in messages]


def _hear(turn: Turn, *events: tuple[str, dict[str, Any]], at_s: float = 1.0) -> None:
    for name, body in events:
        turn.hear(name, body, size=0, now_s=at_s)


BEGIN = [("transcription_started", {"oss_url": ""}), ("chat_started", {"user_message": "你好"})]
FINISHED = ("audio_stream", {"event": "finished"})
COMPLETE = ("audio_complete", {"transcription_success": True, "transcription_text": "你好", "tts_success": True})


def test_packets_are_due_at_their_interval() -> None:
    turn = _turn(cut(bytes(9), packet_bytes=3, interval_ms=100))

    assert [_seqs(turn, now_s) for now_s in (0.0, 0.05, 0.1, 0.25)] == [[1], [], [2], [3]]


def test_a_lost_packet_is_sent_when_the_server_asks_for_it() -> None:
    turn = _turn(cut(bytes(9), packet_bytes=3), link=Link(loss=1.0))
    before = _seqs(turn, 0.0)

    _hear(turn, ("error", {"message": "", "code": "missing_packets", "missing": [2, 3]}))

    assert (before, _seqs(turn, 1.0), turn.result().resent) == ([1], [2, 3], 2)


def test_delay_changes_the_order_of_packets_and_end_stays_last() -> None:
    turn = _turn(cut(bytes(60), packet_bytes=3, live=True), link=Link(delay_ms=50))

    sent = _seqs(turn, 10.0)

    assert sent[-1] == "end"
    assert sent[:-1] != sorted(sent[:-1], key=int)
    assert sorted(sent[:-1], key=int) == list(range(1, 21))


def test_times_count_from_the_last_packet(mp3_frame: bytes) -> None:
    turn = _turn(cut(bytes(6), packet_bytes=3, interval_ms=500))
    turn.due(0.0), turn.due(0.5)
    sound = base64.b64encode(mp3_frame).decode()

    _hear(turn, *BEGIN, ("chat_chunk", {"chunk": "您好"}), at_s=0.6)
    _hear(turn, ("audio_stream", {"event": "data", "data": sound}), at_s=0.7)
    _hear(turn, FINISHED, COMPLETE, at_s=0.8)

    result = turn.result()
    assert [round(ms or 0) for ms in (result.first_text_ms, result.first_audio_ms, result.end_ms)] == [100, 200, 300]
    assert (result.sound, result.sound_ms, result.upload_ms) == (mp3_frame, 24.0, 500.0)


def test_an_event_out_of_order_is_a_failure() -> None:
    turn = _turn(cut(b"abc"))

    _hear(turn, *BEGIN, FINISHED, ("chat_chunk", {"chunk": "晚了"}), COMPLETE)

    assert turn.result().failure == "The server broke the protocol: chat_chunk came too late."


def test_a_full_response_that_is_not_the_sum_of_the_chunks_is_a_failure() -> None:
    turn = _turn(cut(b"abc"))

    _hear(turn, *BEGIN, ("chat_chunk", {"chunk": "好", "full_response": "您好"}), FINISHED, COMPLETE)

    assert "full_response" in turn.result().failure


def test_a_refused_upload_is_over_at_once_with_the_servers_words() -> None:
    turn = _turn(cut(b"abc"))

    _hear(turn, ("error", {"message": "太大了", "code": "too_large"}))

    assert turn.is_over
    assert turn.result().failure == "The server refused the upload: 太大了"


def test_a_failure_in_the_answer_is_told_when_the_turn_ends() -> None:
    turn = _turn(cut(b"abc"))

    _hear(turn, *BEGIN, ("error", {"message": "模型忙", "code": "rate_limit_exceeded"}), COMPLETE)

    assert turn.result().failure == "The server reported an error: 模型忙"


def test_a_silent_server_is_given_up() -> None:
    turn = _turn(cut(b"abc"), silence_s=5.0)
    turn.due(0.0)

    turn.due(5.0)

    assert turn.result().failure == "The server said nothing for 5 s."


def test_stop_is_pressed_the_given_time_after_the_last_packet() -> None:
    turn = _turn(cut(b"abc"), cancel_after_ms=250)
    turn.due(0.0)

    assert [_seqs(turn, now_s) for now_s in (0.2, 0.25, 0.5)] == [[], ["cancel"], []]


def test_a_cancel_drops_the_packets_that_were_not_sent() -> None:
    turn = _turn(cut(bytes(9), packet_bytes=3, interval_ms=100))
    turn.due(0.0)

    turn.cancel(0.05)

    assert _seqs(turn, 1.0) == ["cancel"]
    assert turn.is_over

import pytest

from protocol.events import AudioData, AudioFinished, ChatChunk, Connected, ErrorEvent, PacketAck, encode
from protocol.order import OrderError, TurnOrder


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (Connected(session_id="s"), '{"connected":{"message":"音频连接已建立","session_id":"s"}}'),
        (PacketAck(seq=1, received=1, total=10), '{"packet_ack":{"seq":1,"received":1,"total":10}}'),
        (PacketAck(seq=1, received=1, total=None), '{"packet_ack":{"seq":1,"received":1,"total":null}}'),
        (AudioData(data=b"\xff\xf3"), '{"audio_stream":{"event":"data","data":"//M="}}'),
        (AudioFinished(), '{"audio_stream":{"event":"finished"}}'),
        (ChatChunk(chunk="块", full_response="文块"), '{"chat_chunk":{"chunk":"块","full_response":"文块"}}'),
        (ErrorEvent(message="坏"), '{"error":{"message":"坏"}}'),
    ],
)
def test_an_event_is_written_as_the_contract_has_it(event: object, text: str) -> None:
    assert encode(event) == text


HEARD, END = "transcription_started chat_started", "audio_complete"


def events(*names: str) -> list[dict[str, dict[str, str]]]:
    special = {
        "skipped": {"chat_started": {"message": "…"}},
        "chat_started": {"chat_started": {"user_message": "…"}},
        "sound": {"audio_stream": {"event": "data"}},
        "finished": {"audio_stream": {"event": "finished"}},
    }
    return [special.get(name, {name: {}}) for name in names]


@pytest.mark.parametrize(
    "names",
    [
        f"connected packet_ack {HEARD} chat_chunk tts_started sound finished chat_tts_complete timings {END}",
        f"transcription_started error skipped {END} {HEARD} error chat_tts_complete {END}",
        f"{HEARD} chat_chunk tts_started packet_ack finished chat_tts_complete {END} packet_ack",
    ],
)
def test_the_orders_of_the_contract_pass_the_table(names: str) -> None:
    order = TurnOrder()

    for message in events(*names.split()):
        order.take(message)

    assert order.state == "ended" and order.turns >= 1


@pytest.mark.parametrize(
    "names",
    [
        "chat_started",
        "transcription_started chat_started sound",
        "transcription_started chat_started tts_started tts_started",
        "transcription_started chat_started tts_started finished sound",
        "transcription_started chat_started tts_started chat_tts_complete",
        "transcription_started audio_complete",
        "transcription_started skipped audio_complete audio_complete",
        "transcription_started chat_started chat_tts_complete chat_chunk",
    ],
)
def test_any_other_order_fails_the_table(names: str) -> None:
    *legal, illegal = events(*names.split())
    order = TurnOrder()
    for message in legal:
        order.take(message)

    with pytest.raises(OrderError):
        order.take(illegal)

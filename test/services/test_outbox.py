import threading
from collections.abc import Sequence

import msgspec
import pytest

from protocol.errors import Cancelled
from protocol.events import ChatChunk, PacketAck, TtsStarted
from services.outbox import Outbox
from services.playback import Playback
from test.support.waiting import eventually


class Line:
    """A device's line that the test can hold still: a scripted fake of the socket."""

    def __init__(self) -> None:
        self.sent: list[dict[str, object] | bytes] = []
        self.is_dead = threading.Event()
        self._may_send = threading.Event()
        self._may_send.set()
        self.is_busy = threading.Event()
        self.breaks = False

    def send(self, messages: Sequence[str | bytes]) -> None:
        self.is_busy.set()
        assert self._may_send.wait(10)
        if self.breaks:
            raise ConnectionResetError
        self.sent += [each if isinstance(each, bytes) else msgspec.json.decode(each) for each in messages]

    def hold(self) -> None:
        self._may_send.clear()

    def go_on(self) -> None:
        self._may_send.set()

    def outbox(self, *, audio_limit_bytes: int = 1000) -> Outbox:
        return Outbox(self.send, name="test", audio_limit_bytes=audio_limit_bytes, on_dead=self.is_dead.set)


def put_sound(outbox: Outbox, data: bytes, *, turn: int = 1, playback: Playback | None = None) -> None:
    outbox.put_audio(data, turn=turn, playback=playback or Playback(max_lead_s=0), duration_ms=10)


def test_events_leave_in_the_order_in_which_they_were_put() -> None:
    line = Line()
    outbox = line.outbox()

    for seq in range(1, 50):
        outbox.put(PacketAck(seq=seq, received=seq, total=50))
    is_sent = outbox.drain(10)
    outbox.close()

    assert is_sent and [message["packet_ack"]["seq"] for message in line.sent] == list(range(1, 50))


def test_text_that_waits_behind_a_slow_device_is_joined() -> None:
    line = Line()
    outbox = line.outbox()
    line.hold()
    outbox.put(TtsStarted())

    for text, so_far in (("一", "一"), ("二", "一二"), ("三", "一二三")):
        outbox.put(ChatChunk(chunk=text, full_response=so_far))
    line.go_on()
    outbox.drain(10)
    outbox.close()

    chunks = [message["chat_chunk"] for message in line.sent if "chat_chunk" in message]
    assert "".join(chunk["chunk"] for chunk in chunks) == "一二三" and len(chunks) <= 2
    assert chunks[-1]["full_response"] == "一二三"


def test_sound_waits_for_room_and_none_is_dropped() -> None:
    line = Line()
    outbox = line.outbox(audio_limit_bytes=100)
    line.hold()
    outbox.put(TtsStarted())
    speaker = threading.Thread(target=lambda: [put_sound(outbox, bytes([n]) * 50) for n in range(20)])

    speaker.start()
    speaker.join(0.1)
    was_waiting = speaker.is_alive()
    line.go_on()
    speaker.join(10)
    outbox.drain(10)
    outbox.close()

    assert was_waiting
    assert len([message for message in line.sent if "audio_stream" in message]) == 20


def test_a_discarded_turns_sound_is_gone_and_can_put_no_more() -> None:
    line = Line()
    outbox = line.outbox()
    line.hold()
    outbox.put(TtsStarted())
    assert line.is_busy.wait(10)  # with this message alone: what follows queues up behind it
    for _ in range(3):
        put_sound(outbox, b"old")

    outbox.discard(1)
    with pytest.raises(Cancelled):
        put_sound(outbox, b"old")
    put_sound(outbox, b"new", turn=2)
    line.go_on()
    outbox.drain(10)
    outbox.close()

    assert [message["audio_stream"]["data"] for message in line.sent if "audio_stream" in message] == ["bmV3"]


def test_discarding_wakes_a_speaker_that_waits_for_room() -> None:
    line = Line()
    outbox = line.outbox(audio_limit_bytes=10)
    line.hold()
    outbox.put(TtsStarted())
    outcome: list[str] = []

    def speak() -> None:
        try:
            for _ in range(5):
                put_sound(outbox, bytes(10))
        except Cancelled:
            outcome.append("cancelled")

    speaker = threading.Thread(target=speak)
    speaker.start()
    outbox.discard(1)
    speaker.join(10)
    line.go_on()
    outbox.close()

    assert outcome == ["cancelled"]


def test_binary_devices_get_their_sound_bare() -> None:
    line = Line()
    outbox = line.outbox()
    outbox.binary = True

    put_sound(outbox, b"\xff\xf3")
    outbox.drain(10)
    outbox.close()

    assert line.sent == [b"\xff\xf3"]


def test_a_dead_line_is_reported_and_nobody_waits_for_it() -> None:
    line = Line()
    line.breaks = True
    outbox = line.outbox()

    outbox.put(TtsStarted())
    eventually(line.is_dead.is_set)

    with pytest.raises(Cancelled):
        put_sound(outbox, b"sound")
    assert outbox.drain(10) is False
    outbox.close()


def test_playback_hears_of_sound_when_it_has_left() -> None:
    line = Line()
    outbox, started = line.outbox(), threading.Event()
    playback = Playback(max_lead_s=0, on_start=started.set)

    put_sound(outbox, b"sound", playback=playback)
    outbox.drain(10)
    outbox.close()

    assert started.is_set()

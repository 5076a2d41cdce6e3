"""One connection of one device.

The thread model: one connection = the socket's reader, the handler (this module: reads messages; the only one that
starts or cancels turns), the outbox's writer and, while a turn runs, the turn's threads. At most one turn runs per
connection. Threads share only `Outbox`, `CancelToken`, `Script`, `Playback` and `_Inflow`; all else is confined or
frozen. Every wait has a deadline or is woken by the token. Every thread is joined by the code that started it.
"""

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from protocol.commands import CancelTurn, Command, End, Question, Sound, Start, read_command
from protocol.errors import BadInput, GatewayError
from protocol.events import Ready
from protocol.packets import Limits, Packet
from protocol.telling import Telling
from services.admission.access import Caller
from services.flow import CancelToken
from services.listening import Listening
from services.looking import Looking
from services.memory import Memory, MemoryRules
from services.outbox import Outbox
from services.pictures import PictureRules
from services.summary import Summariser
from services.turn import Engines, error_event
from services.turns import TurnRules, Turns, TurnStuck
from services.utterance import Utterance

_log = logging.getLogger(__name__)
_Accepted = TypeVar("_Accepted")

_TICK_S = 0.5
"""How often a resting connection looks at its clocks. A receive without timeout can sleep for ever after an oversize
message (34 of 60 handlers did)."""
_QUEUED_AUDIO_BYTES = 65_536
_RESTED, _STOPPING, _BROKEN = (1000, "idle"), (1001, "server is stopping"), (1011, "internal error")


class DeviceSocket(Protocol):
    """The connection itself. Threads: one receives, one sends, any closes."""

    @property
    def is_open(self) -> bool: ...

    def receive(self, *, timeout_s: float) -> str | bytes | None:
        """Return the next message, None when none came in time or the connection closed."""

    def send(self, messages: Sequence[str | bytes]) -> None:
        """Send messages in one go. Raises: OSError when the device is gone or takes nothing for too long."""

    def close(self, code: int, reason: str) -> None: ...

    def abort(self) -> None:
        """Shut the connection without a word, waking whoever sends or receives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """What every session of this server keeps to; from the settings."""

    limits: Limits
    picture_limits: Limits
    pictures: PictureRules
    max_utterance_s: float
    ffmpeg_path: str
    packet_idle_s: float
    session_idle_s: float
    drain_s: float
    turns: TurnRules
    memory: MemoryRules


class Session:
    """One connection from `connected` to its end. Threads: `run` is the handler; `drain` may come from any."""

    def __init__(
        self,
        socket: DeviceSocket,
        engines: Engines,
        rules: SessionRules,
        *,
        telling: Telling,
        caller: Caller,
        conversation_id: str = "",
    ) -> None:
        self._socket, self._engines, self._rules, self._caller = socket, engines, rules, caller
        self._telling = telling
        self.session_id = str(uuid.uuid4())
        self._name = f"ws-{self.session_id[:8]}"
        self._device, self._is_declared = Start(), False
        self._outbox = Outbox(
            socket.send,
            name=self._name,
            audio_limit_bytes=_QUEUED_AUDIO_BYTES,
            on_dead=socket.abort,
            meter=engines.meter,
        )
        self._utterance: Utterance | None = None
        self._utterance_cancel = CancelToken()
        self._memory = Memory(
            engines.conversations,
            rules.memory,
            store=engines.store,
            owner=caller.owner,
            pictures=rules.pictures if telling.has_pictures else None,
            name=self._name,
            summariser=self._summariser() if rules.memory.has_summary else None,
        )
        self._turns = Turns(
            engines,
            rules.turns,
            memory=self._memory,
            outbox=self._outbox,
            session_id=self.session_id,
            caller=caller,
            telling=telling,
        )
        self._home = conversation_id or self.session_id
        self._memory.open(self._home, is_new=not conversation_id)
        self._seen: dict[tuple[str, int, int], int] = {}
        self._last_totals: dict[tuple[str, int], int] = {}
        self._drain_until = 0.0
        self._last_activity = self._last_packet = time.monotonic()
        self._has_told_missing = False
        self._draining = threading.Event()

    def _summariser(self) -> Summariser:
        engines, caller = self._engines, self._caller
        return Summariser(engines.conversations, engines.chat, owner=caller.owner, key=caller.key, name=self._name)

    # --- the handler's loop

    def run(self) -> None:
        """Serve the device until it leaves, rests too long, or the server stops."""
        threading.current_thread().name = self._name
        self._outbox.put(self._telling.connected(self.session_id))
        goodbye = _BROKEN
        try:
            while self._socket.is_open and not self._is_over():
                message = self._socket.receive(timeout_s=_TICK_S)
                if message is not None:
                    self._take(message)
                self._look_at_clocks()
            goodbye = _STOPPING if self._draining.is_set() else _RESTED
        finally:
            self._leave(*goodbye)

    def drain(self) -> None:
        """Ask the session to end: a running turn may finish, within bounds."""
        self._draining.set()

    def _take(self, message: str | bytes) -> None:
        """Do what a message asks for; what is wrong with it is told, and the connection lives on."""
        self._last_activity = time.monotonic()
        try:
            has_pictures = self._telling.has_pictures
            self._obey(read_command(message, limits=self._rules.limits, has_pictures=has_pictures))
        except GatewayError as error:
            self._outbox.put(error_event(error))

    def _obey(self, command: Command) -> None:
        match command:
            case Packet():
                self._accept(command)
            case Sound(data):
                self._accept_sound(data)
            case Question():
                self._with_utterance(lambda utterance: utterance.ask(command))
            case End(total):
                self._end_utterance(total)
            case CancelTurn(played_ms):
                self._cancel(played_ms)
            case Start():
                self._start(command)

    # --- utterances

    def _accept(self, packet: Packet) -> None:
        upload = (packet.kind, packet.picture)
        if self._utterance is None and self._is_repeat(packet):
            total = self._last_totals[upload]
            self._outbox.put(self._telling.acknowledged(packet, received=total, total=total))
            return
        utterance, (received, total_now) = self._with_utterance(lambda utterance: utterance.accept(packet))
        self._seen[*upload, packet.seq] = hash(packet.data)
        self._last_totals[upload] = total_now or 0
        self._acknowledge(utterance, packet, received=received, total=total_now)

    def _accept_sound(self, data: bytes) -> None:
        if not self._device.binary:
            raise BadInput(
                "收到二进制消息，但没有声明 binary。请先发送 start 消息并设置 binary 为 true。", code="invalid_message"
            )
        utterance, packet = self._with_utterance(lambda utterance: utterance.accept_sound(data))
        self._acknowledge(utterance, packet, received=packet.seq, total=None)

    def _end_utterance(self, total: int | None) -> None:
        utterance = self._utterance
        if utterance is None:
            raise BadInput("还没有收到数据包，无法结束。请先发送音频。", code="no_audio")
        utterance.end(total)
        if utterance.is_complete:
            self._begin_turn(utterance)
        else:
            self._tell_missing(utterance)

    def _with_utterance(self, accept: Callable[[Utterance], _Accepted]) -> tuple[Utterance, _Accepted]:
        """Let the current utterance, or a new one, accept something. The first part of a new one is a barge-in.

        What is refused interrupts nobody; a recording that grew past its cap is over.
        """
        utterance, is_new = self._utterance or self._new_utterance(), self._utterance is None
        try:
            accepted = accept(utterance)
        except BadInput as error:
            if is_new or error.code == "too_large":
                self._utterance = utterance
                self._drop_utterance()
            raise
        if is_new:
            self._memory.recall()
            self._turns.stop(played_ms=None)
            self._utterance = utterance
        return utterance, accepted

    def _new_utterance(self) -> Utterance:
        self._utterance_cancel, self._seen, self._last_totals = CancelToken(), {}, {}
        rules, name = self._rules, f"{self._name}-{self._turns.count + 1}"
        listening = Listening(
            self._engines.recogniser,
            limits=rules.limits,
            input_format=self._device.input,
            max_s=rules.max_utterance_s,
            ffmpeg_path=rules.ffmpeg_path,
            key=self._caller.key,
            cancel=self._utterance_cancel,
            name=name,
        )
        has_pictures = self._telling.has_pictures
        looking = Looking(limits=rules.picture_limits, rules=rules.pictures, name=name) if has_pictures else None
        return Utterance(listening, looking)

    def _acknowledge(self, utterance: Utterance, packet: Packet, *, received: int, total: int | None) -> None:
        self._last_packet, self._has_told_missing = time.monotonic(), False
        self._outbox.put(self._telling.acknowledged(packet, received=received, total=total))
        if utterance.is_complete:
            self._begin_turn(utterance)

    def _is_repeat(self, packet: Packet) -> bool:
        """Whether this is a packet of the last utterance once more, late. A first packet always begins a new one."""
        is_known = self._seen.get((packet.kind, packet.picture, packet.seq)) == hash(packet.data)
        return packet.seq > 1 and is_known and packet.total == self._last_totals.get((packet.kind, packet.picture))

    def _tell_missing(self, utterance: Utterance) -> None:
        if not (lacking := utterance.missing()):
            return
        kind, image, missing = lacking
        self._has_told_missing = True
        what, whole = ("数据包", "录音") if kind == "audio" else (f"图片 {image} 的数据包", "图片")
        error = BadInput(
            f"缺少{what} {missing}。请重发这些数据包，{whole}即可继续处理。", code="missing_packets", param="seq"
        )
        self._outbox.put(self._telling.lacking(error_event(error), kind=kind, image=image, missing=missing))

    def _drop_utterance(self) -> None:
        """Forget the utterance that is arriving, if any; a running turn has its stop signal for itself by now."""
        if self._utterance:
            self._utterance_cancel.cancel()
            self._utterance.drop()
        self._utterance = None

    # --- turns

    def _cancel(self, played_ms: float | None) -> None:
        self._drop_utterance()
        self._turns.stop(played_ms=played_ms)

    def _begin_turn(self, utterance: Utterance) -> None:
        """Answer a whole utterance. The turn before it has been stopped and is waited for."""
        try:
            self._turns.wait()
        except TurnStuck:
            self._socket.abort()
            raise
        self._utterance = None
        self._turns.begin(utterance, self._device, is_declared=self._is_declared, cancel=self._utterance_cancel)

    # --- what the device declares

    def _start(self, start: Start) -> None:
        if self._utterance or self._turns.is_running:
            raise BadInput(
                "start 只能在两段录音之间发送。请等待 audio_complete 或先发送 cancel。", code="invalid_message"
            )
        if start.codec == "mp3" and start.sample_rate not in (None, self._rules.turns.tts_rate_hz):
            raise BadInput(
                f"mp3 的采样率固定为 {self._rules.turns.tts_rate_hz}。其他采样率请使用 codec pcm。",
                code="invalid_message",
                param="sample_rate",
            )
        self._device, self._is_declared, self._outbox.binary = start, True, start.binary
        self._memory.open(start.conversation or self._home)
        self._outbox.put(self._ready(start))

    def _ready(self, start: Start) -> Ready:
        rules = self._rules
        lead_ms = int(rules.turns.max_lead_s * 1000) if start.max_lead_ms is None else start.max_lead_ms
        return Ready(
            codec=start.codec,
            sample_rate=start.sample_rate or rules.turns.tts_rate_hz,
            binary=start.binary,
            max_lead_ms=lead_ms,
            voice=start.voice or rules.turns.voice,
            full_response=start.full_response,
            timings=start.timings,
            input_format=start.input.format,
            input_sample_rate=start.input.sample_rate,
            max_packet_bytes=rules.limits.packet_bytes,
            conversation_id=self._memory.conversation_id,
        )

    # --- clocks and the end

    def _look_at_clocks(self) -> None:
        now = time.monotonic()
        if self._turns.is_running:
            self._last_activity = now  # speaking is activity: a long answer never runs into a timer
        is_waiting = now - self._last_packet > self._rules.packet_idle_s
        if self._utterance and is_waiting and not self._has_told_missing:
            self._tell_missing(self._utterance)

    def _is_over(self) -> bool:
        now = time.monotonic()
        if now - self._last_activity > self._rules.session_idle_s:
            return True
        if not self._draining.is_set():
            return False
        self._drain_until = self._drain_until or now + self._rules.drain_s
        return now > self._drain_until or not self._turns.is_running

    def _leave(self, code: int, reason: str) -> None:
        self._drop_utterance()
        self._turns.stop(played_ms=None)
        with contextlib.suppress(TurnStuck):
            self._turns.wait()
        if self._socket.is_open:
            self._outbox.drain(1.0)
            self._socket.close(code, reason)
        self._socket.abort()
        self._outbox.close()
        self._memory.close(is_hurried=self._draining.is_set())

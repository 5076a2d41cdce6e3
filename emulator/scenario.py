"""Scenarios: what one API key makes the emulator say, how slowly, and what it makes go wrong.

A scenario belongs to one key, so tests that run at the same time never meet.  It is posted as JSON; a field that
does not exist is refused by name.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any, Final, Literal

import msgspec

_MOST_KEYS: Final = 10_000
Stage = Literal[
    "chat",
    "asr",
    "asr_realtime",
    "asr_task",
    "tts",
    "tts_http",
    "upload",
    "models",
    "image",
    "image_task",
    "image_part",
    "image_result",
    "video_task",
    "video_result",
    "task_poll",
]
FaultKind = Literal[
    "status", "delay", "cut", "malformed", "stall", "duplicate", "error_event", "close", "silent_close", "reset"
]


class Latency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long each stage takes; all zero by default, which is as fast as the emulator can.

    `tts_speed` is in multiples of play time (0 = no pacing).
    """

    chat_first_token_ms: float = 0
    chat_token_ms: float = 0
    chat_token_chars: int = 0
    asr_ms: float = 0
    tts_connect_ms: float = 0
    tts_first_audio_ms: float = 0
    tts_speed: float = 0
    tts_delta_ms: int = 306
    task_polls: int = 0
    upload_ms: float = 0
    image_ms: float = 0
    video_ms: float = 0


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong: in which stage, how, after how many events, how many times (0 = always)."""

    stage: Stage
    kind: FaultKind
    status: int = 500
    code: str = ""
    message: str = ""
    delay_ms: float = 0
    after: int = 0
    close_code: int = 1011
    reason: str = ""
    times: int = 1


class TtsHabits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How realtime synthesis behaves where the real service was seen to differ from its documentation."""

    hold_back: bool = True
    strict_commit: bool = False
    finish_closes: bool = False
    bad_model: Literal["silent", "1007"] = "silent"
    idle_s: float = 60


class AsrHabits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How realtime recognition behaves: `vad` false ignores speech boundaries until commit or finish."""

    vad: bool = True
    idle_s: float = 60


class OmniHabits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How omni models speak: the generation of 2025 wrote the spoken text into the audio objects, not beside them."""

    text_in_audio: bool = False


class ModelHabits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of a retired model: refused with 403 or 404 (nobody saw which), or served as before."""

    retired: Literal["403", "404", "served"] = "403"


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one key may script.  Replies and transcripts are used in order; the last one repeats.

    `speakers` are the speakers of a recording's sentences, in turn, where the request asks who spoke.
    """

    replies: list[str] = []
    tool_calls: list[dict[str, Any]] = []
    reasoning: str = ""
    transcripts: list[str] = []
    speakers: list[int] = []
    latency: Latency = Latency()
    faults: list[Fault] = []
    tts: TtsHabits = TtsHabits()
    asr: AsrHabits = AsrHabits()
    omni: OmniHabits = OmniHabits()
    models: ModelHabits = ModelHabits()


def parse_scenario(body: bytes | dict[str, Any]) -> Scenario:
    """Return the scenario in a JSON body.  Raises: msgspec.ValidationError naming the wrong field."""
    if isinstance(body, dict):
        return msgspec.convert(body, Scenario)
    return msgspec.json.decode(body or b"{}", type=Scenario)


class Script:
    """A scenario being played: which reply comes next, which faults are used up.  Threads: any."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._lock = Lock()
        self._replies_used = 0
        self._transcripts_used = 0
        self._faults_left = [fault.times or None for fault in scenario.faults]

    def next_reply(self) -> str | None:
        """Return the next scripted reply, or None when nothing is scripted."""
        with self._lock:
            self._replies_used += 1
            return _at(self.scenario.replies, self._replies_used)

    def next_transcript(self) -> str | None:
        """Return the next scripted transcript, or None when the ear shall hear for itself."""
        with self._lock:
            self._transcripts_used += 1
            return _at(self.scenario.transcripts, self._transcripts_used)

    def next_fault(self, stage: str) -> Fault | None:
        """Return the first fault of a stage that is not used up, and use it once."""
        with self._lock:
            for n, fault in enumerate(self.scenario.faults):
                left = self._faults_left[n]
                if fault.stage == stage and left != 0:
                    self._faults_left[n] = left and left - 1
                    return fault
        return None


def _at(texts: list[str], count: int) -> str | None:
    return texts[min(count, len(texts)) - 1] if texts else None


class Scripts:
    """The script of every key; a key without a scenario plays the empty one.  The keys used last are kept."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_key: OrderedDict[str, Script] = OrderedDict()

    def of(self, key: str) -> Script:
        """Return the script of a key."""
        with self._lock:
            script = self._by_key.get(key) or self._begin(key, Scenario())
            self._by_key.move_to_end(key)
            return script

    def set(self, key: str, scenario: Scenario) -> None:
        """Start a scenario for a key, from its beginning."""
        with self._lock:
            self._begin(key, scenario)

    def _begin(self, key: str, scenario: Scenario) -> Script:
        script = self._by_key[key] = Script(scenario)
        while len(self._by_key) > _MOST_KEYS:
            self._by_key.popitem(last=False)
        return script

    def reset(self, key: str) -> None:
        """Forget the scenario of a key."""
        with self._lock:
            self._by_key.pop(key, None)

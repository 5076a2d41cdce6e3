"""A process that opens a history and saves one turn, step by step: it says where it is and waits for a line.

python saving_process.py <url> <turn_id>      ready → (line) → saved → (line) → end
"""

import sys
from datetime import UTC, datetime

from services.storage_ports import TurnRecord
from storage.history import open_history

_NOW = datetime.now(UTC)
_TEXTS = (
    "session_id key_fingerprint user_text answer_text answer_heard audio_key audio_url asr_model chat_model tts_model"
)


def _say_and_wait(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()
    sys.stdin.readline()


_say_and_wait("ready")
texts = dict.fromkeys(_TEXTS.split(), "")
turn = TurnRecord(turn_id=sys.argv[2], started_at=_NOW, finished_at=_NOW, interrupted=False, audio_seconds=0.0, **texts)
open_history(sys.argv[1]).save(turn)
_say_and_wait("saved")

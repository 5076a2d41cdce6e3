"""A process whose children save turns and recordings as fast as they can, to be killed while they do.

python dying_process.py <database url> <bucket url> <access key id> <secret> <bucket> <folder>

It reads one line per round (the round's number) and answers `born <pid>`; the child says `open`, then `turn <id>` and
`object <id>` each time that a saving has returned; `dead <pid>` comes when the child is gone, after all that it said.
Children are forked, because importing everything anew would take longer than the round.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from protocol.keys import ApiKey
from services.storage_ports import TurnRecord
from storage.journaled_history import JournaledHistory
from storage.oss import OssBucket
from storage.spool import SpooledStore

URL, BUCKET_URL, KEY_ID, SECRET, BUCKET, FOLDER = sys.argv[1:]
_TEXTS = "key_fingerprint user_text answer_text answer_heard audio_url asr_model chat_model tts_model".split()
_SPACE = 10_000_000_000


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())  # one call: a line is whole or missing


def turn(name: str) -> TurnRecord:
    now, texts = datetime.now(UTC), dict.fromkeys(_TEXTS, name)
    return TurnRecord(
        turn_id=name,
        session_id="session",
        started_at=now,
        finished_at=now,
        interrupted=False,
        audio_key=name,
        audio_seconds=0.0,
        **texts,
    )


def live(number: str) -> None:
    bucket = OssBucket(
        access_key_id=KEY_ID,
        secret=ApiKey(SECRET),
        bucket=BUCKET,
        region="cn-beijing",
        endpoint=BUCKET_URL,
        lifetime_s=60,
        deadline_s=0.0,
    )
    folder = Path(FOLDER)
    store = SpooledStore(bucket, spool=folder / "objects", max_bytes=_SPACE, longest_pause_s=0.02)
    history = JournaledHistory(URL, journal=folder / "turns", max_bytes=_SPACE, longest_pause_s=0.02)
    say("open", number)
    for count in range(1_000_000):
        name = f"{int(number):04}-{count:06}"
        store.put(f"{name}.wav", name.encode() * 50, content_type="audio/wav")
        say("object", name)
        history.save(turn(name))
        say("turn", name)


for line in sys.stdin:
    child = os.fork()
    if not child:
        try:
            live(line.strip())
        finally:
            os._exit(3)
    say("born", child)
    os.waitpid(child, 0)
    say("dead", child)

"""The passages of a text spoken one after another, each asked for before its place comes."""

import contextlib
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence

from protocol.errors import UpstreamBroken, UpstreamBusy, UpstreamError, UpstreamTimeout
from protocol.keys import ApiKey
from services.flow import CancelToken
from services.ports import Manner, Narrator, Sound
from services.sound.prefetch import Prefetch
from services.speaking import Script

_AHEAD_BYTES = 4_194_304
"""Sound of one passage that is read ahead: 87 seconds, more than the longest passage takes."""
_BUSY_PAUSE_S = 1.0
"""The vendor counts its limits by the second."""

Passage = Sequence[str]
"""What one call to the vendor speaks: one segment or, for a voice that keeps its connection, all of them."""


class Narration:
    """One text being read aloud. Threads: one owner; the readers are started and joined here."""

    def __init__(
        self,
        narrator: Narrator,
        passages: Iterable[Passage],
        *,
        voice: str,
        manner: Manner,
        key: ApiKey,
        cancel: CancelToken,
    ) -> None:
        self._narrator, self._passages, self._asked = narrator, iter(passages), 0
        self._voice, self._manner, self._key, self._cancel = voice, manner, key, cancel

    def sounds(self) -> Generator[Sound]:
        """Begin to speak, and return the sound of every passage in order, to be closed by whoever gives up early.

        A passage is asked for when the one before it begins to sound: then it is ready when its place comes, and the
        vendor, which counts calls by the second, never gets two at once. Raises: UpstreamError, Cancelled.
        """
        sounds = self._sounds()
        next(sounds)
        return sounds

    def _sounds(self) -> Generator[Sound]:
        """Yield a sound of no length when the first passage has been asked for, then the sounds."""
        readers: deque[Prefetch] = deque()
        try:
            self._ask_for_next(readers)
            yield Sound(pcm=b"", spoken=0)
            while readers:
                for sound in readers[0]:
                    yield sound
                    if len(readers) == 1:
                        self._ask_for_next(readers)
                readers.popleft().close()
        finally:
            if readers:  # it ends before its end: nobody wants what is still being spoken
                self._cancel.cancel()
            for reader in readers:
                reader.close()

    def _ask_for_next(self, readers: deque[Prefetch]) -> None:
        passage = next(self._passages, None)
        if passage is None:
            return
        self._asked += 1
        name = f"{threading.current_thread().name}-passage-{self._asked}"
        readers.append(Prefetch(lambda: self._spoken(passage), limit_bytes=_AHEAD_BYTES, name=name))

    def _spoken(self, passage: Passage) -> Iterator[Sound]:
        """Yield the sound of one passage; one that fails before it sounds is tried a second time."""
        has_sound = False
        try:
            for sound in self._once(passage):
                has_sound = has_sound or bool(sound.pcm)
                yield sound
            return
        except UpstreamError as error:
            if has_sound or not error.retryable or isinstance(error, UpstreamTimeout):  # nobody waits twice as long
                raise
            self._cancel.wait(_BUSY_PAUSE_S if isinstance(error, UpstreamBusy) else 0)
        yield from self._once(passage)

    def _once(self, passage: Passage) -> Iterator[Sound]:
        self._cancel.raise_if_cancelled()
        script, has_sound = Script(), False
        script.add(passage)
        script.close()
        speech = self._narrator.open(voice=self._voice, key=self._key, cancel=self._cancel, manner=self._manner)
        with contextlib.closing(speech):
            for sound in speech.sounds(script.reading(start=0)):
                has_sound = has_sound or bool(sound.pcm)
                yield sound
        if not has_sound:
            raise UpstreamBroken(
                "语音服务没有返回声音。", english="The model service sent no sound. Try again.", code="upstream_empty"
            )

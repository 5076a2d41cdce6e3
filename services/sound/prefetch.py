"""Read ahead: a stream is taken by a thread of its own as fast as it comes, and given out as it is wanted."""

import threading
from collections import deque
from collections.abc import Callable, Iterator

from services.ports import Sound


class Prefetch(Iterator[Sound]):
    """A stream of sound that is read ahead, up to `limit_bytes` of it; what it raises is raised at its place.

    Threads: one reader (started here, joined by `close`), one taker. Closing does not wake a reader that waits for
    the vendor: whoever gives up cancels the call as well.
    """

    def __init__(self, read: Callable[[], Iterator[Sound]], *, limit_bytes: int, name: str) -> None:
        self._read, self._limit_bytes = read, limit_bytes
        self._sounds: deque[Sound] = deque()
        self._size_bytes = 0
        self._failure: BaseException | None = None
        self._is_over = self._is_closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __next__(self) -> Sound:
        with self._changed:
            self._changed.wait_for(lambda: self._sounds or self._is_over)
            if self._sounds:
                return self._taken()
        if self._failure:
            raise self._failure
        raise StopIteration

    def close(self) -> None:
        """Take no more, and wait for the reader."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()

    def _taken(self) -> Sound:
        sound = self._sounds.popleft()
        self._size_bytes -= len(sound.pcm)
        self._changed.notify_all()
        return sound

    def _run(self) -> None:
        try:
            for sound in self._read():
                if not self._put(sound):
                    break
        except BaseException as error:  # the outermost frame of a thread: raised where it is met
            self._failure = error
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def _put(self, sound: Sound) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._size_bytes < self._limit_bytes)
            self._sounds.append(sound)
            self._size_bytes += len(sound.pcm)
            self._changed.notify_all()
            return not self._is_closed

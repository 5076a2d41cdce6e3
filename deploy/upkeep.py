"""What a worker does now and then beside its requests: it looks for garbage, where the operator wants that."""

import gc
import logging
import threading
import time

_log = logging.getLogger(__name__)


class GarbageCollection:
    """A full collection every `interval_s` seconds; never with 0. Threads: one of its own, joined by `stop`."""

    def __init__(self, *, interval_s: float) -> None:
        self._interval_s, self._stopped = interval_s, threading.Event()
        self._thread = threading.Thread(target=self._run, name="garbage", daemon=True)
        if interval_s:
            self._thread.start()

    def stop(self) -> None:
        """End it; a collection that runs is waited for. Harmless when repeated."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_s):
            began_s = time.monotonic()
            found = gc.collect()
            _log.debug("garbage: %d objects in %.0f ms", found, (time.monotonic() - began_s) * 1000)

"""The models that a caller may name: ours, and what the vendor lists for their key."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from protocol.errors import Cancelled, GatewayError
from protocol.keys import ApiKey
from services.catalogue import Catalogue, Model
from services.flow import CancelToken
from services.known_models import CATALOGUED_AT
from services.ports import Cancel, ListedModel, ModelSource

_log = logging.getLogger(__name__)

_FRESH_S = 600.0
_AWAY_S = 30.0
"""A vendor that did not answer is not asked again sooner: a list must not cost every caller the whole deadline."""
_DEADLINE_S = 2.0
_MAX_KEYS = 256


class ModelList:
    """Lists and finds models. Invariant: whatever the vendor does, the models known here are listed. Threads: any."""

    def __init__(
        self, catalogue: Catalogue, source: ModelSource, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._catalogue, self._source, self._clock = catalogue, source, clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[ApiKey, tuple[float, Sequence[ListedModel]]] = OrderedDict()

    def all(self, *, key: ApiKey, cancel: Cancel) -> list[Model]:
        """Return every model, the known ones first, each name once. Raises: Cancelled."""
        known = self._catalogue.listed()
        names = {model.id for model in known}
        return known + [_described(row) for row in self._vendors(key, cancel) if row.id not in names]

    def find(self, name: str, *, key: ApiKey, cancel: Cancel) -> Model | None:
        """Return the model of that name; the vendor is asked only for a stranger's. Raises: Cancelled."""
        if known := self._catalogue.find(name):
            return known
        return next((_described(row) for row in self._vendors(key, cancel) if row.id == name), None)

    def _vendors(self, key: ApiKey, cancel: Cancel) -> Sequence[ListedModel]:
        """Return the vendor's list, asked for at most once in ten minutes for each key; empty when it cannot be had."""
        with self._lock:
            until_s, rows = self._kept.get(key, (0.0, ()))
        if not key or self._clock() < until_s:
            return rows
        try:
            rows, fresh_s = self._fetch(key, cancel), _FRESH_S
        except GatewayError as error:
            _log.info("the vendor's list of models is not to be had: %s", error.code)
            fresh_s = _AWAY_S
        self._keep(key, rows, until_s=self._clock() + fresh_s)
        return rows

    def _fetch(self, key: ApiKey, cancel: Cancel) -> Sequence[ListedModel]:
        with _deadline(cancel) as limited:
            try:
                return self._source.fetch(key=key, cancel=limited)
            except Cancelled as error:
                cancel.raise_if_cancelled()
                raise GatewayError("The deadline passed.", code="request_timeout") from error

    def _keep(self, key: ApiKey, rows: Sequence[ListedModel], *, until_s: float) -> None:
        with self._lock:
            self._kept[key] = (until_s, rows)
            self._kept.move_to_end(key)
            if len(self._kept) > _MAX_KEYS:
                self._kept.popitem(last=False)


@contextmanager
def _deadline(cancel: Cancel) -> Iterator[CancelToken]:
    """Give a stop signal that also fires when the deadline passes; what was waited is noted with the caller's."""
    limited = CancelToken()
    timer = threading.Timer(_DEADLINE_S, limited.cancel)
    timer.name, timer.daemon = "models-deadline", True
    forget = cancel.on_cancel(limited.cancel)
    timer.start()
    try:
        yield limited
    finally:
        forget()
        timer.cancel()
        timer.join()
        cancel.note_waiting(limited.waited_s)


def _described(row: ListedModel) -> Model:
    created, owner = row.created or CATALOGUED_AT, row.owned_by or "alibaba"
    return Model(id=row.id, kind="", description="", created=created, owned_by=owner)

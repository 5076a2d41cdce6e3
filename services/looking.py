"""The pictures of one question: from their first packets to what the model is shown.

Threads: the handler accepts; `_prepare` runs in a thread of its own (started and joined here) beside recognition, for a
large photograph takes a tenth of a second.
"""

import threading

from protocol.errors import BadInput, GatewayError, TooLarge
from protocol.packets import Limits, Packet, Reassembly
from protocol.pictures import SNIFF_BYTES, PictureKind, sniff_picture
from services.pictures import PictureRules, prepare
from services.ports import Picture


class Looking:
    """The pictures of one question. Invariant: what `originals` returns is every byte that was acknowledged."""

    def __init__(self, *, limits: Limits, rules: PictureRules, name: str) -> None:
        self._limits, self._rules = limits, rules
        self._uploads: dict[int, Reassembly] = {}
        self._prepared: list[Picture] = []
        self._failure: GatewayError | None = None
        self._thread = threading.Thread(target=self._prepare, name=f"{name}-look", daemon=True)

    # --- the handler's side

    def accept(self, packet: Packet) -> Reassembly:
        """Take a packet in and return its picture's upload. Raises: BadInput; what was accepted before is kept."""
        upload = self._uploads.get(packet.picture) or Reassembly(self._limits, what="图片")
        self._check_room(packet)
        had_bytes = len(upload.data)
        upload.add(packet)
        if had_bytes < SNIFF_BYTES <= len(upload.data):
            self._uploads.pop(packet.picture, None)
            sniff_picture(upload.data)  # what is no picture is told at once, and can be sent again
        self._uploads[packet.picture] = upload
        return upload

    def _check_room(self, packet: Packet) -> None:
        size_bytes = sum(len(upload.data) for upload in self._uploads.values()) + len(packet.data) * 3 // 4
        if size_bytes > self._limits.total_bytes:
            raise TooLarge(f"图片一共超过 {self._limits.total_bytes} 字节的上限。请压缩后重发。", param="data")

    @property
    def is_empty(self) -> bool:
        return not self._uploads

    @property
    def received(self) -> int:
        """How many packets have come, of all pictures."""
        return sum(upload.received for upload in self._uploads.values())

    def missing(self) -> tuple[int, list[int]] | None:
        """Return the first picture with holes and the numbers that it lacks; None when all are whole."""
        for picture, upload in sorted(self._uploads.items()):
            if holes := upload.missing():
                return picture, holes
        return None

    def end(self) -> None:
        """Close the uploads that never said how many packets they have. Raises: BadInput."""
        for upload in self._uploads.values():
            upload.finish()

    # --- the turn's side

    def originals(self) -> list[tuple[PictureKind | None, bytes]]:
        """Return each picture as it was uploaded, with its kind, None when it is no picture after all."""
        return [(_kind(upload.data), bytes(upload.data)) for _, upload in sorted(self._uploads.items())]

    def start(self) -> None:
        """Begin to prepare the pictures."""
        self._thread.start()

    def pictures(self) -> list[Picture]:
        """Return the pictures as the model is shown them, waiting for them. Raises: BadInput."""
        self._thread.join()
        if self._failure:
            raise self._failure
        return self._prepared

    def _prepare(self) -> None:
        try:
            self._prepared = [prepare(data, rules=self._rules) for _, data in self.originals()]
        except GatewayError as error:
            self._failure = error
        except Exception as error:  # the outermost frame of a thread: the turn must learn of it
            self._failure = GatewayError(f"内部错误：{type(error).__name__}")


def _kind(data: bytearray) -> PictureKind | None:
    try:
        return sniff_picture(data)
    except BadInput:
        return None

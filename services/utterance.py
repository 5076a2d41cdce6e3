"""What a person brings to one turn: a recording or a typed question, and maybe pictures. Threads: the handler's."""

from typing import Literal

from protocol.commands import Question
from protocol.errors import BadInput
from protocol.packets import Packet
from services.listening import Listening
from services.looking import Looking

_NO_QUESTION = "还没有问题，无法结束。请先发送音频（或文字），再发送 end。"


class Utterance:
    """Invariant: once `is_complete`, nothing of it is missing and it takes nothing more."""

    def __init__(self, listening: Listening, looking: Looking | None) -> None:
        self.listening, self._looking = listening, looking
        self.typed = ""
        self._has_ended = False

    @property
    def looking(self) -> Looking | None:
        """The pictures, None when there are none."""
        return self._looking if self._looking and not self._looking.is_empty else None

    @property
    def is_spoken(self) -> bool:
        return self.listening.received > 0

    @property
    def is_complete(self) -> bool:
        """Whether the turn can begin. With pictures about, only `end` tells that nothing more will come."""
        if not self._looking:
            return self.listening.is_complete
        is_heard = self.listening.is_complete or bool(self.typed)
        return self._has_ended and is_heard and self.missing() is None

    @property
    def received(self) -> int:
        """How many packets have come, of all kinds."""
        return self.listening.received + (self._looking.received if self._looking else 0)

    def accept(self, packet: Packet) -> tuple[int, int | None]:
        """Take a packet in; return how many of its upload have come, of how many. Raises: BadInput."""
        if packet.kind == "image":
            assert self._looking  # such packets are read on the picture socket only
            upload = self._looking.accept(packet)
            return upload.received, upload.total
        self._refuse_both(self.typed)
        self.listening.accept(packet)
        return self.listening.received, self.listening.total

    def accept_sound(self, data: bytes) -> Packet:
        """Take the next binary message in and return the packet that it counts as. Raises: BadInput."""
        self._refuse_both(self.typed)
        self.listening.accept_sound(data)
        return Packet(seq=self.listening.last_seq, total=None, data="")

    def ask(self, question: Question) -> None:
        """Take a typed question in, the last one counts. Raises: BadInput."""
        self._refuse_both(self.is_spoken)
        self.typed = question.text

    def end(self, total: int | None) -> None:
        """Note that nothing more will come but what is missing. Raises: BadInput."""
        if not self.typed:
            if self._looking and not self.is_spoken:
                raise BadInput(_NO_QUESTION, code="no_audio")
            self.listening.end(total)
        if self._looking:
            self._looking.end()
        self._has_ended = True

    def missing(self) -> tuple[Literal["audio", "image"], int, list[int]] | None:
        """Return (kind, number of the picture, packets that lack) of the first upload with holes, or None."""
        if self.is_spoken and (holes := self.listening.missing()):
            return "audio", 1, holes
        if self._looking and (lacking := self._looking.missing()):
            return "image", *lacking
        return None

    def drop(self) -> None:
        """Forget it and end its threads; the cancel token has been cancelled before."""
        self.listening.drop()

    def _refuse_both(self, is_other: object) -> None:
        if is_other:
            raise BadInput("一次提问只能用语音或文字之一。", code="invalid_message", param="type")

"""One upload, reassembled from its packets.

How it works.  A device cuts a recording into packets `{"seq":n,"total":N,"data":"base64"}`. They come in any order and
more than once. `Reassembly` keeps the text of the packets that wait for an earlier one and decodes, in order, all that
is contiguous, so that recognition can start while the rest is still on its way.

Two readings of `data` are in use: each packet is a base64 text of its own, or the packets are slices of one long base64
text. Both are decoded by one rule: characters that do not fill a group of four are carried into the next packet. A
base64 text of its own always fills its groups, so it never carries anything.

A packet without `total` belongs to a live upload: how many there are is known when `end` comes.

Units: sizes in bytes after decoding.  Threads: one owner.  Source: docs/protocol.md
"""

import binascii
import re
from dataclasses import dataclass
from typing import Literal

from protocol.errors import BadInput, PacketError, TooLarge

MAX_PICTURES = 8
"""Of one question."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One piece of an upload. Invariant: `seq` ≥ 1; `total`, when known, ≥ `seq`; `data` is base64 characters.

    `picture` is which of several pictures it belongs to, from 1; of a recording it means nothing.
    """

    seq: int
    total: int | None
    data: str
    kind: Literal["audio", "image"] = "audio"
    picture: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    packet_bytes: int
    packets: int
    total_bytes: int


def check_packet(
    *,
    seq: object,
    total: object,
    data: object,
    limits: Limits,
    kind: Literal["audio", "image"] = "audio",
    picture: object = 1,
) -> Packet:
    """Return a well-formed packet. Raises: PacketError, TooLarge."""
    if not _is_count(seq) or seq < 1:  # type: ignore[operator]
        raise PacketError(f"seq 必须是从 1 开始的整数，收到 {_shown(seq)}。请从 1 开始编号后重发。", param="seq")
    if total is not None and (not _is_count(total) or total < seq):  # type: ignore[operator]
        raise PacketError(f"total 必须是不小于 seq 的整数，收到 seq={seq}，total={_shown(total)}。", param="total")
    if max(seq, total or 0) > limits.packets:  # type: ignore[call-overload]
        raise TooLarge(f"一次上传最多 {limits.packets} 个数据包。请使用更大的数据包。", param="total")
    if not isinstance(data, str) or not data:
        raise PacketError("data 必须是非空的 base64 文本。", param="data")
    if len(data) > (limits.packet_bytes + 2) // 3 * 4:
        raise TooLarge(
            f"数据包 {seq} 约 {len(data) * 3 // 4} 字节，上限 {limits.packet_bytes} 字节。请切成更小的数据包后重发。",
            param="data",
        )
    if not _BASE64.fullmatch(data):
        raise PacketError(f"数据包 {seq} 的 data 不是标准 base64 文本。请编码后重发。", param="data")
    if not _is_count(picture) or not 1 <= picture <= MAX_PICTURES:  # type: ignore[operator]
        raise PacketError(f"image 必须是 1 到 {MAX_PICTURES} 的整数，收到 {_shown(picture)}。", param="image")
    return Packet(seq=seq, total=total, data=data, kind=kind, picture=picture)  # type: ignore[arg-type]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _shown(value: object) -> str:
    return repr(value)[:40]


class Reassembly:
    """The packets of one upload. Invariant: `data` is the decoded contiguous beginning of the upload."""

    def __init__(self, limits: Limits, *, what: str = "录音") -> None:
        self._limits, self._what = limits, what
        self._waiting: dict[int, str] = {}
        self._next = 1
        self._carry = ""
        self._waiting_chars = 0
        self.total: int | None = None
        self.highest = 0
        self.data = bytearray()

    @property
    def received(self) -> int:
        """How many different packets have come."""
        return self._next - 1 + len(self._waiting)

    @property
    def is_complete(self) -> bool:
        return self.total is not None and self._next > self.total

    def missing(self, *, at_most: int = 100) -> list[int]:
        """Return the numbers that are lacking up to `total` (or to the highest seen), the first `at_most` of them."""
        last = self.total or self.highest
        found: list[int] = []
        for seq in range(self._next, last + 1):
            if seq not in self._waiting:
                found.append(seq)
                if len(found) == at_most:
                    break
        return found

    def add(self, packet: Packet) -> None:
        """Take one packet; `data` grows by all that became contiguous through it. Raises: BadInput; the rest is
        kept."""
        if packet.total is not None:
            self.set_total(packet.total)
        if self.total is not None and packet.seq > self.total:
            raise PacketError(f"seq {packet.seq} 超出 total {self.total}。", param="seq")
        if packet.seq < self._next or packet.seq in self._waiting:
            return
        self._keep(packet)
        self._advance()

    def next_whole(self, data: bytes) -> int:
        """Take the next packet of a live upload, already decoded, and return its number. Raises: BadInput."""
        if self._next <= self.highest or self.total is not None:
            raise PacketError("二进制音频不能与带 seq 的数据包混用。请只用一种方式发送一段录音。")
        if len(data) > self._limits.packet_bytes:
            raise TooLarge(
                f"二进制消息 {len(data)} 字节，超过每包 {self._limits.packet_bytes} 字节的上限。请切成更小的消息。"
            )
        if len(self.data) + len(data) > self._limits.total_bytes or self.highest >= self._limits.packets:
            raise TooLarge(f"录音超过 {self._limits.total_bytes} 字节或 {self._limits.packets} 个数据包的上限。")
        self.data += data
        self.highest += 1
        self._next += 1
        return self.highest

    def set_total(self, total: int) -> None:
        """Fix the number of packets. Raises: PacketError when it contradicts what came before."""
        if self.total not in (None, total):
            raise PacketError(f"total 从 {self.total} 变成了 {total}：一次上传的 total 不能改变。", param="total")
        if self.highest > total:
            raise PacketError(f"total {total} 小于已收到的 seq {self.highest}。", param="total")
        self.total = total

    def _keep(self, packet: Packet) -> None:
        size = len(self.data) + (self._waiting_chars + len(packet.data)) * 3 // 4
        if size > self._limits.total_bytes:
            raise TooLarge(
                f"{self._what}超过 {self._limits.total_bytes} 字节的上限。请缩短或压缩后重发。", param="data"
            )
        self._waiting[packet.seq] = packet.data
        self._waiting_chars += len(packet.data)
        self.highest = max(self.highest, packet.seq)

    def _advance(self) -> None:
        while (text := self._waiting.get(self._next)) is not None:
            self._waiting_chars -= len(self._waiting.pop(self._next))
            self._decode(text)
            self._next += 1
        if self.is_complete:
            self._decode_rest()

    def _decode(self, text: str) -> None:
        text = self._carry + text
        whole = len(text) - len(text) % 4
        self.data += self._from_base64(text[:whole])
        self._carry = text[whole:]

    def _decode_rest(self) -> None:
        """Decode what is left of an unpadded text; one lonely character holds no whole byte and is an error."""
        self.data += self._from_base64(self._carry + "=" * (-len(self._carry) % 4))
        self._carry = ""

    def _from_base64(self, text: str) -> bytes:
        try:
            return binascii.a2b_base64(text, strict_mode=True) if text else b""
        except binascii.Error as error:
            message = f"数据包 {self._next} 的 base64 不完整或填充错误。请重新编码这个数据包后重发。"
            raise PacketError(message, param="data") from error

    def finish(self) -> None:
        """Close a live upload at the packets seen so far. Raises: BadInput when none came."""
        if self.highest == 0:
            raise BadInput("还没有收到数据包，无法结束。请先发送音频。", code="no_audio")
        self.set_total(self.total or self.highest)
        if self.is_complete:
            self._decode_rest()

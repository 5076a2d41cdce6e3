import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import BadInput, PacketError, TooLarge
from protocol.packets import Limits, Packet, Reassembly, check_packet

LIMITS = Limits(packet_bytes=8192, packets=1000, total_bytes=100_000)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def own_texts(data: bytes, size: int) -> list[Packet]:
    parts = [data[begin : begin + size] for begin in range(0, len(data), size)]
    return [Packet(seq=seq, total=len(parts), data=encoded(part)) for seq, part in enumerate(parts, 1)]


def slices(data: bytes, size: int) -> list[Packet]:
    text = encoded(data)
    parts = [text[begin : begin + size] for begin in range(0, len(text), size)]
    return [Packet(seq=seq, total=len(parts), data=part) for seq, part in enumerate(parts, 1)]


@given(
    data=st.binary(min_size=1, max_size=2000),
    size=st.integers(3, 300),
    order=st.randoms(),
    cut=st.sampled_from((own_texts, slices)),
)
def test_any_cut_in_any_order_with_repeats_gives_the_recording(data, size, order, cut) -> None:
    parts = cut(data, size)
    sent = [*parts, *order.choices(parts, k=3)]
    order.shuffle(sent)

    reassembly = Reassembly(LIMITS)
    for packet in sent:
        reassembly.add(packet)

    assert reassembly.is_complete and bytes(reassembly.data) == data
    assert reassembly.received == len(parts)


def test_the_contiguous_beginning_is_decoded_while_the_rest_is_missing() -> None:
    parts = own_texts(bytes(range(100)), 10)
    reassembly = Reassembly(LIMITS)

    for packet in (parts[1], parts[0], parts[4]):
        reassembly.add(packet)

    assert bytes(reassembly.data) == bytes(range(20))
    assert reassembly.missing() == [3, 4, 6, 7, 8, 9, 10]
    assert reassembly.received == 3


def test_missing_names_at_most_what_is_asked_for() -> None:
    reassembly = Reassembly(LIMITS)

    reassembly.add(Packet(seq=900, total=900, data="AAAA"))

    assert reassembly.missing(at_most=3) == [1, 2, 3]


def test_a_total_that_changes_is_refused_and_nothing_is_lost() -> None:
    reassembly = Reassembly(LIMITS)
    reassembly.add(Packet(seq=1, total=2, data="AAAA"))

    with pytest.raises(PacketError):
        reassembly.add(Packet(seq=2, total=3, data="AAAA"))
    reassembly.add(Packet(seq=2, total=2, data="AAAA"))

    assert reassembly.is_complete and len(reassembly.data) == 6


def test_a_packet_with_broken_padding_can_be_sent_again() -> None:
    reassembly = Reassembly(LIMITS)
    reassembly.add(Packet(seq=1, total=2, data="AAAA"))

    with pytest.raises(PacketError, match="2"):
        reassembly.add(Packet(seq=2, total=2, data="AA=A="))
    reassembly.add(Packet(seq=2, total=2, data="AAA="))

    assert reassembly.is_complete and len(reassembly.data) == 5


def test_a_slice_with_one_lonely_character_is_refused() -> None:
    reassembly = Reassembly(LIMITS)

    with pytest.raises(PacketError):
        reassembly.add(Packet(seq=1, total=1, data="AAAAA"))


def test_the_caps_hold_even_for_packets_that_wait() -> None:
    reassembly = Reassembly(Limits(packet_bytes=8192, packets=1000, total_bytes=10_000))
    big = encoded(bytes(6000))
    reassembly.add(Packet(seq=5, total=9, data=big))

    with pytest.raises(TooLarge):
        reassembly.add(Packet(seq=6, total=9, data=big))


def test_a_live_upload_is_complete_when_it_is_finished() -> None:
    reassembly = Reassembly(LIMITS)
    for seq in (1, 2):
        reassembly.add(Packet(seq=seq, total=None, data="AAAA"))
    was_complete = reassembly.is_complete

    reassembly.finish()

    assert not was_complete and reassembly.is_complete and reassembly.total == 2


def test_finishing_with_a_hole_waits_for_it() -> None:
    reassembly = Reassembly(LIMITS)
    reassembly.add(Packet(seq=2, total=None, data="AAAA"))
    reassembly.finish()

    reassembly.add(Packet(seq=1, total=None, data="AAAA"))

    assert reassembly.is_complete


def test_finishing_nothing_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        Reassembly(LIMITS).finish()

    assert caught.value.code == "no_audio"


def test_binary_pieces_count_themselves_and_do_not_mix_with_numbered_packets() -> None:
    reassembly = Reassembly(LIMITS)
    numbers = [reassembly.next_whole(b"ab"), reassembly.next_whole(b"cd")]
    mixed = Reassembly(LIMITS)
    mixed.add(Packet(seq=2, total=None, data="AAAA"))

    with pytest.raises(PacketError):
        mixed.next_whole(b"ab")

    assert numbers == [1, 2] and bytes(reassembly.data) == b"abcd"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"seq": 0}, "seq"),
        ({"seq": -1}, "seq"),
        ({"seq": True}, "seq"),
        ({"seq": 1.0}, "seq"),
        ({"seq": "1"}, "seq"),
        ({"total": 0}, "total"),
        ({"total": "3"}, "total"),
        ({"seq": 4}, "total"),
        ({"seq": 1, "total": 1001}, "total"),
        ({"data": None}, "data"),
        ({"data": ""}, "data"),
        ({"data": 7}, "data"),
        ({"data": "AA-_"}, "data"),
        ({"data": "AA==AA"}, "data"),
        ({"data": "A" * 10_928}, "data"),
    ],
)
def test_a_malformed_packet_is_refused_naming_the_field(fields: dict[str, object], param: str) -> None:
    whole = {"seq": 1, "total": 3, "data": "AAAA"} | fields

    with pytest.raises(BadInput) as caught:
        check_packet(**whole, limits=LIMITS)

    assert caught.value.param == param


def test_a_packet_of_exactly_the_limit_is_taken() -> None:
    packet = check_packet(seq=1, total=1, data=encoded(bytes(8192)), limits=LIMITS)

    assert packet.seq == 1

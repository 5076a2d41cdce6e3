import json

import pytest

from protocol.commands import CancelTurn, End, Sound, Start, read_command
from protocol.errors import BadInput
from protocol.packets import Limits, Packet

LIMITS = Limits(packet_bytes=8192, packets=1000, total_bytes=100_000)


@pytest.mark.parametrize(
    ("message", "command"),
    [
        ('{"seq":1,"total":2,"data":"AAAA"}', Packet(seq=1, total=2, data="AAAA")),
        ('{"seq":1,"data":"AAAA"}', Packet(seq=1, total=None, data="AAAA")),
        ('{"type":"audio","seq":1,"total":2,"data":"AAAA","extra":1}', Packet(seq=1, total=2, data="AAAA")),
        ('{"type":"end"}', End(None)),
        ('{"type":"end","total":7}', End(7)),
        ('{"type":"cancel"}', CancelTurn(None)),
        ('{"type":"cancel","played_ms":1200}', CancelTurn(1200)),
        (b"\x01\x02", Sound(b"\x01\x02")),
        ('{"type":"start"}', Start()),
        (
            '{"type":"start","codec":"pcm","sample_rate":16000,"binary":true}',
            Start(codec="pcm", sample_rate=16000, binary=True),
        ),
    ],
)
def test_a_message_is_read_as_its_command(message: str | bytes, command: object) -> None:
    assert read_command(message, limits=LIMITS) == command


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ('{"type":"start","colour":1}', "colour"),
        ('{"type":"start","sample_rate":11025}', "sample_rate"),
        ('{"type":"start","input":{"format":"pcm","sample_rate":1}}', "input.sample_rate"),
        ('{"type":"start","max_lead_ms":-1}', "max_lead_ms"),
        ('{"type":"start","codec":"opus"}', "start"),
        ('{"type":"end","total":"3"}', "total"),
        ('{"type":"cancel","played_ms":true}', "played_ms"),
        ('{"type":"video","seq":1,"data":"AAAA"}', "type"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(message: str, param: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_command(message, limits=LIMITS)

    assert caught.value.param == param


@pytest.mark.parametrize(
    "message", ["", "nul", "[]", "7", '"text"', "{", '{"a":"\ud800"}', json.dumps([[]]) * 2, "[" * 100_000]
)
def test_what_is_no_json_object_is_refused(message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_command(message, limits=LIMITS)

    assert caught.value.code in ("invalid_json", "invalid_message")

"""Addresses that may be passed on, and those that may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.links import is_public_link


@pytest.mark.parametrize(
    "link",
    [
        "https://host.example/a.wav",
        "HTTP://HOST.example:8080/a.wav?x=1#y",
        "https://8.8.8.8/a.wav",
        "https://[2606:4700::1111]/a",
        "oss://bucket/a/b.wav",
        "oss://dashscope-instant/1/2/a.wav",
        "https://例子.中国/a.wav",
        "https://local.example/a",
    ],
)
def test_a_public_address_is_passed_on(link: str) -> None:
    assert is_public_link(link)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "/etc/passwd",
        "a.wav",
        "file:///etc/passwd",
        "ftp://host.example/a",
        "data:audio/wav;base64,AAAA",
        "https://",
        "https:///a",
        "https://host.example/a b",
        "https://host.example\\@127.0.0.1/",
        "https://host.example/\r\nX: y",
        "https://user:pass@host.example/",
        "https://[::1",
        "http://127.0.0.1/a",
        "http://127.1/a",
        "http://2130706433/a",
        "http://0x7f000001/a",
        "http://0x7f.0.0.1/a",
        "http://017700000001/a",
        "http://0/a",
        "http://[::1]/a",
        "http://[::ffff:127.0.0.1]/a",
        "http://[fe80::1]/a",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/a",
        "http://192.168.1.1/a",
        "http://100.64.0.1/a",
        "http://localhost:5000/a",
        "http://LOCALHOST./a",
        "http://db.internal/a",
        "http://printer.local/a",
    ],
)
def test_any_other_is_not(link: str) -> None:
    assert not is_public_link(link)


@given(st.text(max_size=40) | st.text(max_size=20).map("http://".__add__))
def test_no_text_is_more_than_refused(text: str) -> None:
    assert is_public_link(text) in (True, False)

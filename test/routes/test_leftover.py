"""Bodies that are too large, sent to the server as its users run it: the refusal arrives, and the line can be kept."""

import http.client
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from emulator import Emulator
from test.support.openai_schema import assert_openai
from test.support.server_process import ServerProcess, vendor_settings

MOST_BYTES = 50_000
SIZES = (300_000, 1_000_000, 20_000_000)


@pytest.fixture(scope="module")
def address(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a server with gunicorn listens."""
    limits = {"MAX_BODY_BYTES": str(MOST_BYTES), "MAX_UPLOAD_BYTES": str(MOST_BYTES), "MAX_SPEECH_CHARS": "1000"}
    settings = {**vendor_settings(emulator, key="sk-test-of-the-server"), **limits}
    with ServerProcess(tmp_path_factory.mktemp("server"), **settings) as server:
        yield urlsplit(server.started().url).netloc


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("route", ["chat/completions", "audio/speech", "audio/translations"])
def test_who_sends_too_much_is_told_so_and_not_cut_off(route: str, is_chunked: bool, address: str) -> None:
    line = http.client.HTTPConnection(address, timeout=30)

    answers = [posted(line, f"/v1/{route}", size, is_chunked=is_chunked) for size in SIZES]

    line.close()
    assert [status for status, _ in answers] == [413] * len(SIZES)
    for _, body in answers:
        assert_openai("ErrorResponse", json.loads(body))


def posted(line: http.client.HTTPConnection, path: str, size: int, *, is_chunked: bool) -> tuple[int, bytes]:
    body = b'{"model": "' + b"a" * size + b'"}'
    headers = {"Content-Type": "application/json", "Authorization": "Bearer sk-test-of-a-caller"}
    if is_chunked:
        headers["Transfer-Encoding"] = "chunked"
    pieces = (body[at : at + 8000] for at in range(0, len(body), 8000))
    line.request("POST", path, body=pieces if is_chunked else body, headers=headers, encode_chunked=is_chunked)
    answer = line.getresponse()
    return answer.status, answer.read()


def test_a_form_with_too_many_words_is_told_so_as_well(address: str) -> None:
    line = http.client.HTTPConnection(address, timeout=30)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Bearer sk-test-of-a-caller"}

    line.request("POST", "/v1/audio/speech", body=b"input=" + b"a" * 5_000_000, headers=headers)
    answer = line.getresponse()

    assert (answer.status, answer.read()[:9]) == (413, b'{"error":')
    line.close()

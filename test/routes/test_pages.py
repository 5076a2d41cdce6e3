"""`/` and the pages: people get a page, programs get JSON."""

import re
from collections.abc import Callable

import pytest
import urllib3

import config
from test.support.servers import RunningServer

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.fixture
def server(serve: Callable[..., RunningServer]) -> RunningServer:
    return serve()


def test_a_browser_gets_the_page(server: RunningServer) -> None:
    answer = urllib3.request("GET", server.url, headers={"Accept": CHROME})

    assert answer.headers["Content-Type"].startswith("text/html") and b"<html" in answer.data
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html;q=0, */*", "nonsense", ""])
def test_a_program_gets_json_that_says_what_this_is(server: RunningServer, accept: str) -> None:
    answer = urllib3.request("GET", server.url, headers={"Accept": accept})

    told = answer.json()
    assert told["version"] == config.VERSION and told["openapi"] == "/openapi.json"
    assert {"GET /v1/models", "GET /health", "GET /v1/chat/audio"} <= set(told["endpoints"])


def test_a_program_that_sends_no_accept_gets_json(server: RunningServer) -> None:
    answer = urllib3.request("GET", server.url)

    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("name", ["conftest.py", "..%2Fapp.py", "no-such.html", "%00.html"])
def test_nothing_but_pages_is_shown(server: RunningServer, name: str) -> None:
    answer = urllib3.request("GET", f"{server.url}/test/{name}")

    assert answer.status == 404


PAGES = ["test_chat_web.html", "test_vlm_stream.html", "test_history.html", "test_realtime_audio_stream.html"]


@pytest.mark.parametrize("path", ["/", "/docs", *(f"/test/{name}" for name in PAGES)])
def test_a_page_runs_nothing_but_its_own_files(server: RunningServer, path: str) -> None:
    answer = urllib3.request("GET", f"{server.url}{path}", headers={"Accept": CHROME})

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self';" in policy and "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-cache"
    assert b" src=" in answer.data and b"://" not in answer.data.replace(b"http://www.w3.org/2000/svg", b"")
    assert not re.search(rb"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", answer.data)

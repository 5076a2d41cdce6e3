"""The walk through every surface, against this server whole and broken, and against another that offers less."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from client.check.chat import red_square
from client.check.command import row
from client.check.walk import SURFACES, Finding
from client.cli import main
from emulator import Emulator
from test.support.server_process import ServerProcess, vendor_settings
from test.support.servers import RunningServer

Serve = Callable[..., RunningServer]
Scenario = Callable[..., None]


def check(url: str, key: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """Return the exit code, and what was found of each surface."""
    code = main(["check", "--base-url", url, "--key", key, "--json"])
    report = json.loads(capsys.readouterr().out)
    return code, {row["surface"]: row for row in report["surfaces"]}


def outcomes(found: dict[str, Any], outcome: str) -> set[str]:
    return {name for name, row in found.items() if row["outcome"] == outcome}


def test_every_surface_of_a_server_in_order_is_ok(serve: Serve, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = check(serve().url, key, capsys)

    assert {name: row["detail"] for name, row in found.items() if row["outcome"] != "ok"} == {}
    assert (code, len(found)) == (0, len(SURFACES))
    assert found["spoken turn"]["detail"].startswith("“What is the weather today?”")


def test_it_is_ok_as_people_run_it(
    emulator: Emulator, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ServerProcess(tmp_path, **vendor_settings(emulator, key=key)) as server:
        code, found = check(server.started().url, key, capsys)

    assert (code, outcomes(found, "failed") | outcomes(found, "absent")) == (0, set())


@pytest.mark.parametrize(
    ("stage", "broken"),
    [
        ("chat", {"chat", "chat, streamed", "chat, tool", "chat, JSON", "chat, picture"}),
        ("tts_http", {f"speech, {kind}" for kind in ("mp3", "opus", "aac", "flac", "wav", "pcm", "events")}),
        ("asr_task", {"transcription, verbose", "transcription, srt", "transcription, vtt"}),
    ],
)
def test_a_broken_stage_is_told_by_the_surfaces_that_need_it(
    serve: Serve,
    scenario: Scenario,
    key: str,
    capsys: pytest.CaptureFixture[str],
    stage: str,
    broken: set[str],
) -> None:
    scenario(faults=[{"stage": stage, "kind": "status", "status": 500, "times": 0}])

    code, found = check(serve().url, key, capsys)

    assert code == 1
    assert broken <= outcomes(found, "failed")
    assert not outcomes(found, "failed") & {"health", "models", "voices", "bad parameter", "wrong address"}


def test_a_stream_that_breaks_off_is_told_in_the_words_of_its_error(
    serve: Serve, scenario: Scenario, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "error_event", "after": 3, "times": 0}])

    _, found = check(serve().url, key, capsys)

    assert found["chat"]["outcome"] == "ok"
    assert found["chat, streamed"]["detail"].startswith("the stream broke off: ")


def test_what_another_server_may_be_without_is_not_there_and_no_failure(
    emulator: Emulator, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, found = check(emulator.compatible_url, key, capsys)

    assert outcomes(found, "absent") >= {"health", "page", "voices", "audio models", "spoken turn", "picture turn"}
    assert {"models", "chat", "chat, streamed"} <= outcomes(found, "ok")
    assert "speech, mp3" in outcomes(found, "failed")


def test_people_see_a_table_and_what_failed(
    serve: Serve, scenario: Scenario, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "error_event", "after": 3, "times": 0}])
    url = serve().url

    code = main(["check", "--base-url", f"{url}/v1/", "--key", key])

    lines = capsys.readouterr().out.splitlines()
    assert (code, lines[0]) == (1, f"● {url}")
    assert lines[2].split()[:3] == ["✓", "health", "ok"]
    assert lines[-1] == f"✗ 3 of {len(SURFACES)} failed: chat, streamed; spoken turn; picture turn"


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_no_server_gives_a_sentence_and_exit_code_one(more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", "--base-url", "http://127.0.0.1:9", *more])

    assert code == 1
    assert "127.0.0.1:9: no connection. Is the server running?" in capsys.readouterr().out


def test_long_details_are_cut_to_the_terminal_but_never_a_reason() -> None:
    found = {"surface": "chat", "detail": "word " * 60, "first_ms": 1.0, "total_ms": None}

    fine = row(Finding(**found, outcome="ok"), width=100)
    failed = row(Finding(**found, outcome="failed"), width=100)

    assert len(fine) <= 100 and fine.endswith("…")
    assert failed.count("word") == 60


def test_the_picture_is_a_red_square() -> None:
    with av.open(io.BytesIO(red_square())) as file:
        frame = next(file.decode(video=0)).to_ndarray(format="rgb24")

    assert frame.shape == (64, 64, 3)
    assert (frame == [255, 0, 0]).all()

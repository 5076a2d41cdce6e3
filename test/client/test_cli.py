"""The tool as a person starts it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from client.cli import main

Serve = Callable[[Callable[[Any], None]], str]


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    path = tmp_path / "hello.wav"
    path.write_bytes(bytes(7000))
    return path


def _answering(sound: bytes) -> Callable[[Any], None]:
    def script(peer: Any) -> None:
        while (message := peer.receive()) and message.get("type") == "start":
            peer.send("ready", codec="mp3", sample_rate=24000)
        if message is None:
            return
        for _ in range(message["total"] - 1):
            peer.receive()
        peer.send("packet_ack", seq=3, received=3, total=3)
        peer.answer(sound)
        peer.receive()

    return script


def test_a_turn_is_shown_and_the_reply_saved(
    serve_script: Serve, hello: Path, mp3_frame: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    reply = hello.with_name("reply.mp3")

    code = main([str(hello), "--url", serve_script(_answering(mp3_frame)), "--out", str(reply)])

    shown = capsys.readouterr().out
    assert code == 0
    assert reply.read_bytes() == mp3_frame
    for words in ("3/3", "you      你好", "answer   您好。", "0.02 s, 192 bytes, no gaps", "✓ complete", str(reply)):
        assert words in shown


def test_json_is_one_report_and_nothing_else(
    serve_script: Serve, hello: Path, mp3_frame: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    url = serve_script(_answering(mp3_frame))

    main([str(hello), "--url", url, "--out", str(hello.with_name("r.mp3")), "--json"])

    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["turns"][0]["answer"], report["turns"][0]["sound_bytes"]) == (True, "您好。", 192)


def test_a_fleet_prints_its_figures(
    serve_script: Serve, hello: Path, mp3_frame: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([str(hello), "--url", serve_script(_answering(mp3_frame)), "--fleet", "3", "--json"])

    report = json.loads(capsys.readouterr().out)
    assert (code, report["completed"], report["gaps"]) == (0, 3, 0)


@pytest.mark.parametrize("more", [[], ["--json"], ["--fleet", "2"]])
def test_no_server_gives_a_sentence_and_exit_code_one(
    hello: Path, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([str(hello), "--url", "ws://127.0.0.1:9/", *more])

    assert code == 1
    assert "Is the server running?" in capsys.readouterr().out


@pytest.mark.parametrize("more", [[], ["--json"], ["--fleet", "2"], ["--url", "ws://127.0.0.1:9/"]])
def test_it_ends_quietly_when_nobody_reads_what_it_says(
    serve_script: Serve, hello: Path, mp3_frame: bytes, more: list[str]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "client", str(hello), "--url", serve_script(_answering(mp3_frame))]
    command += ["--out", str(hello.with_name("r.mp3")), *more]

    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=30)

    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_no_recording_gives_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "no.wav")]) == 1
    assert "No such file" in capsys.readouterr().out


def test_a_start_that_is_no_object_is_a_usage_error(hello: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(hello), "--start", "[]"])
    assert "is not a JSON object" in capsys.readouterr().err

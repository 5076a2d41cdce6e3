"""Pictures and a question, before the scripted server and the real one."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from client.cli import main
from client.device import Device
from client.question import ask
from client.turn import Options
from client.upload import Link
from emulator import Emulator
from test.support.device import spoken_wav
from test.support.photos import photo
from test.support.servers import RunningServer

Serve = Callable[..., RunningServer]
ServeScript = Callable[[Callable[[Any], None]], str]


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "one.jpg", tmp_path / "two.png"]
    for path, kind in zip(paths, ("JPEG", "PNG"), strict=True):
        path.write_bytes(photo(kind))
    return paths


@pytest.fixture
def said(tmp_path: Path) -> Path:
    path = tmp_path / "what.wav"
    path.write_bytes(spoken_wav("这是什么"))
    return path


def collect(peer: Any) -> list[dict[str, Any]]:
    """Take messages up to `end`, acknowledging packets."""
    messages = []
    while (message := peer.receive())["type"] != "end":
        messages.append(message)
        if "seq" in message:
            image = {"image": message["image"]} if "image" in message else {}
            peer.send("packet_ack", seq=message["seq"], type=message["type"], received=1, total=9, **image)
    return messages


def answer(
    peer: Any, sound: bytes, *, chunks: int = 1, response: str = "一只猫。", transcript: str = "这是什么"
) -> None:
    peer.send("vlm_chat_started", message="", user_message=transcript, image_url="")
    peer.send("vlm_chat_chunk", chunk="一只猫。", full_response="一只猫。")
    peer.send("tts_started", message="")
    peer.send_sound(sound)
    peer.send("audio_stream", event="finished")
    peer.send("vlm_chat_tts_complete", message="", assistant_response="一只猫。", audio_chunks=chunks)
    peer.send("vlm_complete", message="", transcription=transcript, vlm_response=response)
    peer.receive()


def test_sound_and_pictures_go_up_mixed_and_each_is_whole(serve_script: ServeScript, mp3_frame: bytes) -> None:
    seen: list[dict[str, Any]] = []

    def script(peer: Any) -> None:
        seen.extend(collect(peer))
        answer(peer, mp3_frame)

    with Device(serve_script(script)) as device:
        result = device.ask(ask([b"aaaa", b"bbbbbb"], recording=b"cccc", packet_bytes=2))

    whole: dict[tuple[str, int], bytes] = {}
    for message in seen:
        place = message["type"], message.get("image", 1)
        whole[place] = whole.get(place, b"") + base64.b64decode(message["data"])
    assert whole == {("audio", 1): b"cccc", ("image", 1): b"aaaa", ("image", 2): b"bbbbbb"}
    assert [message["type"] for message in seen[:4]] == ["audio", "image", "image", "audio"]
    assert (result.failure, result.packets, result.acked, result.answer) == ("", 7, 7, "一只猫。")


def test_a_typed_question_goes_first_and_needs_no_acknowledgement(serve_script: ServeScript, mp3_frame: bytes) -> None:
    seen: list[dict[str, Any]] = []

    def script(peer: Any) -> None:
        seen.extend(collect(peer))
        answer(peer, mp3_frame)

    with Device(serve_script(script)) as device:
        result = device.ask(ask([b"aaaa"], text="这是什么"))

    assert (seen[0], len(seen)) == ({"type": "text", "text": "这是什么"}, 2)
    assert (result.is_ok, result.transcript, result.sound) == (True, "这是什么", mp3_frame)


def test_packets_named_missing_are_sent_again_to_the_upload_they_belong_to(
    serve_script: ServeScript, mp3_frame: bytes
) -> None:
    again: list[Any] = []

    def script(peer: Any) -> None:
        collect(peer)
        peer.send("error", message="", code="missing_packets", type="image", image=2, missing=[2, 99])
        peer.send("error", message="", code="missing_packets", type="audio", missing=[2])
        again.extend([peer.receive(), peer.receive()])
        answer(peer, mp3_frame)

    with Device(serve_script(script)) as device:
        result = device.ask(ask([b"aaaa", b"bbBB"], recording=b"ccCC", packet_bytes=2))

    assert [(m["type"], m["seq"], base64.b64decode(m["data"])) for m in again] == [
        ("image", 2, b"BB"),
        ("audio", 2, b"CC"),
    ]
    assert (result.is_ok, result.resent) == (True, 2)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"chunks": 3}, "The server broke the protocol: audio_chunks is 3 after 1 audio_stream data."),
        ({"response": "狗"}, "The server broke the protocol: vlm_response is not the sum of the chunks."),
        ({"transcript": ""}, "The server heard no words in the recording."),
    ],
)
def test_an_answer_that_contradicts_itself_is_a_failure(
    serve_script: ServeScript, mp3_frame: bytes, wrong: dict[str, Any], sentence: str
) -> None:
    def script(peer: Any) -> None:
        collect(peer)
        answer(peer, mp3_frame, **wrong)

    with Device(serve_script(script)) as device:
        result = device.ask(ask([b"aaaa"], recording=b"c"))

    assert result.failure == sentence


def test_the_words_of_the_other_socket_are_a_failure(serve_script: ServeScript, mp3_frame: bytes) -> None:
    def script(peer: Any) -> None:
        collect(peer)
        peer.answer(mp3_frame)
        peer.receive()

    with Device(serve_script(script)) as device:
        result = device.ask(ask([b"aaaa"], recording=b"c"))

    assert result.failure == "The server broke the protocol: chat_started belongs to another socket."


def test_a_late_event_of_the_picture_socket_is_a_failure(serve_script: ServeScript, mp3_frame: bytes) -> None:
    def script(peer: Any) -> None:
        collect(peer)
        peer.send("audio_stream", event="finished")
        answer(peer, mp3_frame)

    with Device(serve_script(script)) as device:
        result = device.ask(ask([b"aaaa"], recording=b"c"))

    assert result.failure == "The server broke the protocol: vlm_chat_started came too late."


@pytest.mark.parametrize("live", [False, True])
def test_a_server_takes_what_a_bad_link_lost(serve: Serve, key: str, live: bool) -> None:
    link = Options(link=Link(loss=0.3, delay_ms=1))

    with Device(serve().vlm_url, key=key, start={}, options=link) as device:
        question = ask([photo(), photo("PNG")], recording=spoken_wav("这是什么"), packet_bytes=500, live=live)
        result = device.ask(question)

    assert (result.failure, result.transcript) == ("", "这是什么")
    assert "2张图片" in result.answer
    assert result.resent > 0
    assert result.acked == result.packets


def test_several_questions_are_asked_on_one_connection(
    serve: Serve, key: str, pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--picture", str(pictures[0]), "--ask", "图里有什么？", "--repeat", "2", "--out", str(tmp_path / "r.mp3")]

    code = main([*words, "--url", serve().vlm_url, "--key", key, "--json"])

    report = json.loads(capsys.readouterr().out)
    assert (code, report["ok"], len(report["turns"]), len(report["saved"])) == (0, True, 2, 2)
    assert {turn["events"]["vlm_complete"] for turn in report["turns"]} == {1}


def test_a_turn_with_pictures_is_shown_and_its_reply_saved(
    serve: Serve, key: str, pictures: list[Path], said: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reply, shown = said.with_name("reply.mp3"), [word for path in pictures for word in ("--picture", str(path))]

    code = main([*shown, str(said), "--url", serve().vlm_url, "--key", key, "--out", str(reply)])

    out = capsys.readouterr().out
    assert (code, reply.read_bytes()[:1]) == (0, b"\xff")
    for words in ("  picture ", "  picture 2", "  sound ", "you      这是什么", "2张图片", "no gaps", "✓ complete"):
        assert words in out


def test_what_is_no_picture_is_told_in_the_servers_words(
    serve: Serve, key: str, said: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--picture", str(said), "--ask", "这是什么", "--url", serve().vlm_url, "--key", key])

    assert code == 1
    assert "✗ The server refused the upload: " in capsys.readouterr().out


def test_a_failing_model_is_told(
    serve: Serve, key: str, emulator: Emulator, scenario: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "status", "status": 429, "code": "Throttling.RateQuota"}])

    code = main(["--ask", "你好", "--url", serve().vlm_url, "--key", key, "--json"])

    assert code == 1
    assert json.loads(capsys.readouterr().out)["turns"][0]["failure"].startswith("The server reported an error: ")


def test_the_picture_socket_is_asked_when_no_address_is_given(
    pictures: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("client.cli._PICTURE_URL", "ws://127.0.0.1:9/v1/chat/vlm")

    code = main(["--picture", str(pictures[0]), "--ask", "?"])

    assert code == 1
    assert "ws://127.0.0.1:9/v1/chat/vlm" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "either a recording or --ask"),
        (["--picture", "a.jpg"], "either a recording or --ask"),
        (["a.wav", "--ask", "?"], "either a recording or --ask"),
        (["--ask", "?", "--fleet", "2"], "--fleet speaks recordings alone"),
    ],
)
def test_a_command_without_sense_is_a_usage_error(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert sentence in capsys.readouterr().err

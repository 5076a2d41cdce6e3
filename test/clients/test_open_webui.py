"""Open WebUI's requests, replayed: its own code, no SDK.  Source: open-webui 0.12.4, routers audio and openai"""

import base64
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from emulator.painting import paint, story_in
from test.clients.conftest import QUESTION
from test.clients.raw import Form, field, file, send, send_json
from test.support.device import heard_in, spoken_wav
from test.support.openai_schema import assert_openai
from test.support.servers import RunningServer

WHO = {
    "User-Agent": "Python/3.11 aiohttp/3.14.1",
    "X-OpenWebUI-User-Name": "Ann",
    "X-OpenWebUI-User-Id": "u1",
    "X-OpenWebUI-User-Email": "ann@example.com",
    "X-OpenWebUI-User-Role": "admin",
}


@pytest.fixture
def server(serve: Callable[..., RunningServer]) -> RunningServer:
    return serve()


def recording(*fields: tuple[str, bytes]) -> Form:
    name = f"{uuid.uuid4()}.wav"
    return Form([field("model", "whisper-1"), *fields, file(name, spoken_wav(QUESTION), "application/octet-stream")])


def test_a_recording_comes_in_chunks_without_a_length_and_without_a_type(server: RunningServer) -> None:
    form = recording(field("language", "zh"))

    reply = send(server, "POST", "/v1/audio/transcriptions", headers=WHO | form.headers, body=form.chunks())

    assert reply.status == 200 and reply.json()["text"] == QUESTION
    assert_openai("CreateTranscriptionResponseJson", reply.json())


def test_a_language_that_nobody_speaks_is_refused_so_that_it_tries_again_without(server: RunningServer) -> None:
    strange, plain = recording(field("language", "xx-klingon")), recording()

    first = send(server, "POST", "/v1/audio/transcriptions", headers=WHO | strange.headers, body=strange.chunks())
    second = send(server, "POST", "/v1/audio/transcriptions", headers=WHO | plain.headers, body=plain.chunks())

    assert first.status == 400 and first.json()["error"]["param"] == "language"
    assert_openai("ErrorResponse", first.json())
    assert second.json()["text"] == QUESTION


def test_a_recording_comes_as_json_when_it_is_set_so(server: RunningServer) -> None:
    sound = {"data": base64.b64encode(spoken_wav(QUESTION)).decode(), "format": "wav"}

    reply = send_json(server, "/v1/audio/transcriptions", {"model": "whisper-1", "input_audio": sound}, headers=WHO)

    assert reply.status == 200 and reply.json()["text"] == QUESTION


@pytest.mark.parametrize(("path", "name"), [("/v1/audio/voices", "voices"), ("/v1/audio/models", "models")])
def test_its_settings_list_voices_and_models_without_a_key(server: RunningServer, path: str, name: str) -> None:
    reply = send(server, "GET", path, headers={"Content-Type": "application/json"}, key="")

    assert reply.status == 200
    assert all(row["id"] for row in reply.json()[name])


def test_speech_without_a_format_is_mp3_also_for_many_sentences_at_once(server: RunningServer) -> None:
    sentences = ["今天天气不错。", "我们去公园吧。", "好的，我知道了。", "明天见。"]

    def say(sentence: str) -> tuple[str, str]:
        wish = {"model": "tts-1", "input": sentence, "voice": "alloy"}
        reply = send_json(server, "/v1/audio/speech", wish, headers=WHO)
        return reply.headers["Content-Type"], heard_in(reply.body)

    with ThreadPoolExecutor(len(sentences)) as at_once:
        said = list(at_once.map(say, sentences))

    assert said == [("audio/mpeg", sentence) for sentence in sentences]


def test_raw_speech_tells_its_rate_in_its_type(server: RunningServer) -> None:
    wish = {"model": "tts-1", "input": "你好。", "voice": "alloy", "response_format": "pcm"}

    reply = send_json(server, "/v1/audio/speech", wish, headers=WHO)

    assert {"rate=24000", "channels=1"} <= set(reply.headers["Content-Type"].replace(" ", "").split(";"))


def test_it_lists_the_models_and_streams_a_chat(server: RunningServer) -> None:
    listed = send(server, "GET", "/v1/models", headers=WHO)
    wish = {"model": "qwen-plus", "stream": True, "messages": [{"role": "user", "content": "你好。"}]}

    reply = send_json(server, "/v1/chat/completions", wish, headers=WHO | {"X-OpenWebUI-Chat-Id": "c1"})

    assert_openai("ListModelsResponse", listed.json())
    assert reply.headers["Content-Type"].startswith("text/event-stream")
    assert reply.body.endswith(b"data: [DONE]\n\n")
    for chunk in reply.events():
        assert_openai("CreateChatCompletionStreamResponse", chunk)


def test_it_draws_pictures_and_takes_the_files_themselves(server: RunningServer) -> None:
    wish = {"model": "dall-e-3", "prompt": "a lighthouse", "n": 2, "size": "1024x1024", "response_format": "b64_json"}

    reply = send_json(server, "/v1/images/generations?api-version=2025-04-01-preview", wish, headers=WHO)

    assert_openai("ImagesResponse", reply.json())
    assert [story_in(base64.b64decode(one["b64_json"]))["prompt"] for one in reply.json()["data"]] == [
        "a lighthouse"
    ] * 2


def test_it_asks_gpt_image_without_a_format_and_takes_the_file(server: RunningServer) -> None:
    wish = {"model": "gpt-image-1", "prompt": "a lighthouse", "n": 1, "size": "auto"}

    reply = send_json(server, "/v1/images/generations", wish, headers=WHO)

    assert reply.json()["data"][0]["b64_json"]


@pytest.mark.parametrize("name", ["image", "image[]"])
def test_it_edits_pictures_of_a_form_that_comes_in_chunks(server: RunningServer, name: str) -> None:
    pictures = [picture_part(name), picture_part(name)] if name.endswith("[]") else [picture_part(name)]
    texts = {"model": "gpt-image-1", "prompt": "make it night", "n": "1", "size": "1024x1024", "background": "auto"}
    form = Form([*(field(key, text) for key, text in texts.items()), *pictures])

    path = "/v1/images/edits?api-version=2025-04-01-preview"
    reply = send(server, "POST", path, headers=WHO | form.headers, body=form.chunks())

    story = story_in(base64.b64decode(reply.json()["data"][0]["b64_json"]))
    assert (story["prompt"], len(story["pictures"])) == ("make it night", len(pictures))


def picture_part(name: str) -> tuple[str, bytes]:
    head = f'Content-Disposition: form-data; name="{name}"; filename="image.png"\r\nContent-Type: image/png'
    return head, paint(64, 48, {"prompt": name})


def test_it_shows_why_a_chat_failed(server: RunningServer) -> None:
    wish = {"model": "no-such-model", "stream": True, "messages": [{"role": "user", "content": "你好。"}]}

    reply = send_json(server, "/v1/chat/completions", wish, headers=WHO)

    assert reply.status == 404 and "no-such-model" in reply.json()["error"]["message"]
    assert_openai("ErrorResponse", reply.json())

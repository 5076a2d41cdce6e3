"""`POST /v1/chat/completions` over real sockets, asked by the real openai SDK."""

import base64
import http.client
import io
import json
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import openai
import pydantic
import pytest
import urllib3

from emulator import Emulator
from emulator.voice import pcm_to_wav, speak
from test.support.openai_schema import assert_openai
from test.support.servers import RunningServer, running_server
from test.support.waiting import eventually

QUESTION = [{"role": "user", "content": "What is the weather today?"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}}


@pytest.fixture
def server(serve: Callable[..., RunningServer]) -> RunningServer:
    return serve()


@pytest.fixture
def client_of() -> Iterator[Callable[[RunningServer], openai.OpenAI]]:
    """Open SDKs that believe nothing but OpenAI's own shapes; they are closed when the test ends."""
    with ExitStack() as stack:

        def open_client(server: RunningServer) -> openai.OpenAI:
            options = {"max_retries": 0, "_strict_response_validation": True}
            return stack.enter_context(openai.OpenAI(api_key=server.key, base_url=f"{server.url}/v1", **options))

        yield open_client


@pytest.fixture
def client(server: RunningServer, client_of: Callable[[RunningServer], openai.OpenAI]) -> openai.OpenAI:
    return client_of(server)


@pytest.fixture
def asked(emulator: Emulator, key: str) -> Callable[[], dict[str, Any]]:
    """Return the last body that the vendor was sent."""
    return lambda: [entry["body"] for entry in emulator.journal(key) if entry["kind"] == "request"][-1]


def whole(client: openai.OpenAI, **fields: Any) -> Any:
    """Return a whole answer that passed OpenAI's schema."""
    raw = client.chat.completions.with_raw_response.create(
        **{"model": "qwen-plus", "messages": QUESTION, "stream": False} | fields
    )
    assert raw.headers["content-type"] == "application/json"
    assert_openai("CreateChatCompletionResponse", json.loads(raw.text))
    return raw.parse()


def streamed(client: openai.OpenAI, **fields: Any) -> list[Any]:
    """Return the chunks of a stream, each of which passed OpenAI's schema."""
    chunks = list(
        client.chat.completions.create(**{"model": "qwen-plus", "messages": QUESTION, "stream": True} | fields)
    )
    for chunk in chunks:
        assert_openai("CreateChatCompletionStreamResponse", chunk.to_dict())
    return chunks


def text_of(chunks: list[Any]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def post(server: RunningServer, body: bytes | dict[str, Any]) -> urllib3.BaseHTTPResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
    return urllib3.request(
        "POST", f"{server.url}/v1/chat/completions", body=content, headers=headers, preload_content=False, retries=False
    )


# --- answers


def test_a_question_is_answered_whole(client: openai.OpenAI) -> None:
    answer = whole(client)

    assert answer.choices[0].message.content.startswith("You said: What is the weather today?")
    assert answer.choices[0].finish_reason == "stop" and answer.usage.total_tokens > 0


def test_an_answer_is_streamed_as_it_is_written(client: openai.OpenAI, scenario: Callable[..., None]) -> None:
    scenario(replies=["你好，很高兴见到你。"])

    chunks = streamed(client)

    assert text_of(chunks) == "你好，很高兴见到你。" and len(chunks) > 3
    assert (chunks[0].choices[0].delta.role, chunks[0].choices[0].delta.content) == ("assistant", "")
    assert chunks[-1].choices[0].finish_reason == "stop" and len({(chunk.id, chunk.created) for chunk in chunks}) == 1


def test_the_first_words_arrive_while_the_rest_is_still_being_written(
    server: RunningServer, scenario: Callable[..., None]
) -> None:
    scenario(replies=["one two three"], faults=[{"stage": "chat", "kind": "stall", "after": 2}])

    answer = post(server, {"model": "qwen-plus", "messages": QUESTION, "stream": True})

    first = next(answer.stream(65_536))
    assert answer.status == 200 and b'"content":""' in first
    answer.close()


def test_a_stream_has_the_headers_that_keep_proxies_from_holding_it_back(server: RunningServer) -> None:
    answer = post(server, {"model": "qwen-plus", "messages": QUESTION, "stream": True})

    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == ("no-cache", "no")
    assert answer.headers["x-request-id"].startswith("req_") and answer.headers["x-dashscope-request-id"]
    assert answer.read().endswith(b"data: [DONE]\n\n")


def test_a_whole_answer_names_the_vendors_call(server: RunningServer) -> None:
    answer = post(server, {"model": "qwen-plus", "messages": QUESTION})

    body = json.loads(answer.read())
    assert body["id"] == f"chatcmpl-{answer.headers['x-dashscope-request-id']}"


def test_usage_ends_a_stream_only_when_it_was_asked_for(client: openai.OpenAI) -> None:
    told = streamed(client, stream_options={"include_usage": True})
    plain = streamed(client)

    assert told[-1].choices == [] and told[-1].usage.total_tokens > 0
    assert all(chunk.usage is None for chunk in told[:-1]) and all(chunk.choices for chunk in plain)


def test_the_servers_own_model_answers_who_names_none(
    serve: Callable[..., RunningServer], asked: Callable[[], dict[str, Any]]
) -> None:
    server = serve(chat_model="qwen-flash")

    answer = post(server, {"messages": QUESTION})

    assert json.loads(answer.read())["model"] == "qwen-flash" == asked()["model"]


def test_openais_names_stand_for_models_of_this_server(
    client: openai.OpenAI, asked: Callable[[], dict[str, Any]]
) -> None:
    assert whole(client, model="gpt-4o-mini").choices[0].message.content

    assert asked()["model"].startswith("qwen")


# --- what models can do


def test_a_tool_is_called_and_its_result_is_answered(client: openai.OpenAI, scenario: Callable[..., None]) -> None:
    scenario(tool_calls=[{"name": "get_weather", "arguments": {"city": "北京"}}], replies=["It is sunny."])

    message = whole(client, tools=TOOLS).choices[0].message
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": [{"type": "text", "text": "sunny"}]}
    answer = whole(client, tools=TOOLS, messages=[*QUESTION, message.model_dump(exclude_none=True), result])

    assert message.tool_calls[0].function.arguments == '{"city":"北京"}'
    assert answer.choices[0].message.content == "It is sunny."


def test_a_tool_is_called_in_a_stream_by_fragments_that_add_up(
    client: openai.OpenAI, scenario: Callable[..., None]
) -> None:
    scenario(tool_calls=[{"name": "get_weather", "arguments": {"city": "北京"}}, {"name": "get_weather"}])

    with client.chat.completions.stream(
        model="qwen-plus", messages=QUESTION, tools=TOOLS, parallel_tool_calls=True
    ) as stream:
        calls = stream.get_final_completion().choices[0].message.tool_calls

    assert [call.function.arguments for call in calls] == ['{"city":"北京"}', "{}"]
    assert len({call.id for call in calls}) == 2


def test_deprecated_functions_are_called_in_their_own_form(
    client: openai.OpenAI, scenario: Callable[..., None]
) -> None:
    scenario(tool_calls=[{"name": "f", "arguments": {"a": 1}}])
    fields = {"functions": [{"name": "f", "parameters": {}}]}

    choice, chunks = whole(client, **fields).choices[0], streamed(client, **fields)

    pieces = [chunk.choices[0].delta.function_call for chunk in chunks if chunk.choices[0].delta.function_call]
    assert (choice.finish_reason, choice.message.function_call.arguments) == ("function_call", '{"a":1}')
    assert "".join(piece.arguments for piece in pieces) == '{"a":1}' and pieces[0].name == "f"


def test_reasoning_comes_before_the_words(client: openai.OpenAI, scenario: Callable[..., None]) -> None:
    scenario(replies=["Sunny."], reasoning="Let me think.")

    message = whole(client, model="qwen3.7-plus", reasoning_effort="high").choices[0].message
    chunks = streamed(client, model="qwen3.7-plus", extra_body={"enable_thinking": True})

    thoughts = "".join(getattr(chunk.choices[0].delta, "reasoning_content", None) or "" for chunk in chunks)
    assert (message.reasoning_content, message.content) == ("Let me think.", "Sunny.")
    assert (thoughts, text_of(chunks)) == ("Let me think.", "Sunny.")


def test_a_picture_is_seen(client: openai.OpenAI, asked: Callable[[], dict[str, Any]]) -> None:
    content = [{"type": "text", "text": "What is this?"}, PICTURE]

    answer = whole(client, model="qwen3-vl-plus", messages=[{"role": "user", "content": content}])

    assert "1 picture" in answer.choices[0].message.content
    assert asked()["messages"][0]["content"][1]["max_pixels"] == 262_144


def test_speech_in_openais_form_is_heard(client: openai.OpenAI) -> None:
    sound = base64.b64encode(pcm_to_wav(speak("你好，世界。"), rate_hz=24_000)).decode()
    part = {"type": "input_audio", "input_audio": {"data": sound, "format": "wav"}}

    message = whole(client, model="qwen3-asr-flash", messages=[{"role": "user", "content": [part]}]).choices[0].message

    assert message.content == "你好，世界。" and message.dashscope_annotations[0]["type"] == "audio_info"


def test_json_is_answered_when_it_was_asked_for(client: openai.OpenAI) -> None:
    answer = whole(client, messages=[{"role": "user", "content": "as json"}], response_format={"type": "json_object"})

    assert "as json" in json.loads(answer.choices[0].message.content)["reply"]


class Weather(pydantic.BaseModel):
    city: str
    degrees: int


def test_an_answer_by_schema_is_parsed_by_the_sdk(client: openai.OpenAI) -> None:
    answer = client.chat.completions.parse(model="qwen-plus", messages=QUESTION, response_format=Weather)

    assert isinstance(answer.choices[0].message.parsed, Weather)


def test_a_required_tool_is_called(client: openai.OpenAI, asked: Callable[[], dict[str, Any]]) -> None:
    message = whole(client, tools=TOOLS, tool_choice="required").choices[0].message

    assert message.tool_calls[0].function.name == "get_weather"
    assert asked()["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}


@pytest.mark.parametrize("model", ["qwen-plus", "qwen3.5-omni-flash"])
def test_probabilities_of_tokens_come_along(client: openai.OpenAI, model: str) -> None:
    fields = {"model": model, "logprobs": True, "top_logprobs": 2}

    told = whole(client, **fields).choices[0].logprobs
    chunks = streamed(client, **fields)

    streamed_tokens = [token.token for chunk in chunks if (some := chunk.choices[0].logprobs) for token in some.content]
    assert len(told.content[0].top_logprobs) == 2
    assert [token.token for token in told.content] == streamed_tokens


def test_several_answers_and_stop_words_are_honoured(client: openai.OpenAI, scenario: Callable[..., None]) -> None:
    scenario(replies=["one two three"])

    answer = whole(client, n=2, stop=["two"])

    assert [choice.message.content for choice in answer.choices] == ["one ", "one "]
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert text_of(streamed(client, stop="three")) == "one two "


def test_what_openai_does_not_know_reaches_the_vendor(
    client: openai.OpenAI, asked: Callable[[], dict[str, Any]]
) -> None:
    whole(client, extra_body={"enable_search": True, "top_k": 5}, user="me", metadata={"a": "b"}, store=False)

    body = asked()
    assert (body["enable_search"], body["top_k"]) == (True, 5)
    assert not {"user", "metadata", "store", "stream"} & set(body)


# --- models that the compatible surface lacks


def test_a_model_of_the_vendors_own_surface_answers_all_the_same(
    client: openai.OpenAI, scenario: Callable[..., None], asked: Callable[[], dict[str, Any]]
) -> None:
    scenario(replies=["哈哈哈，合同有效。"])

    answer = whole(client, model="farui-plus", max_tokens=9000, stop=["。"])
    body = asked()
    chunks = streamed(client, model="farui-plus", stream_options={"include_usage": True})

    assert answer.choices[0].message.content == "哈哈哈，合同有效" and answer.usage.total_tokens > 0
    assert body["parameters"]["max_tokens"] == 2000 and body["parameters"]["result_format"] == "message"
    assert text_of(chunks) == "哈哈哈，合同有效。" and chunks[-1].usage.total_tokens > 0


def test_a_failure_of_the_vendors_own_surface_is_told_the_same_way(
    client: openai.OpenAI, scenario: Callable[..., None]
) -> None:
    scenario(
        faults=[{"stage": "chat", "kind": "error_event", "after": 2, "code": "Throttling.RateQuota", "status": 429}]
    )
    said: list[Any] = []

    with pytest.raises(openai.APIError) as failed:
        said.extend(client.chat.completions.create(model="farui-plus", messages=QUESTION, stream=True))

    assert failed.value.code == "rate_limit_exceeded"


# --- models that only stream


@pytest.mark.parametrize("model", ["qwen3-omni-flash", "qwen3.5-omni-plus"])
def test_a_model_that_only_streams_answers_whole_calls(
    client: openai.OpenAI, scenario: Callable[..., None], asked: Callable[[], dict[str, Any]], model: str
) -> None:
    scenario(replies=["Hello there."])

    answer = whole(client, model=model)

    assert answer.choices[0].message.content == "Hello there." and answer.usage.total_tokens > 0
    assert asked()["stream"] is True


def test_a_model_that_demands_a_stream_unexpectedly_is_asked_once_more(
    client: openai.OpenAI, scenario: Callable[..., None], emulator: Emulator, key: str
) -> None:
    refusal = "parameter.enable_thinking must be set to false for non-streaming calls"
    scenario(replies=["Hello."], faults=[{"stage": "chat", "kind": "status", "status": 400, "message": refusal}])

    answer = whole(client)

    streams = [entry["body"].get("stream", False) for entry in emulator.journal(key) if entry["kind"] == "request"]
    assert answer.choices[0].message.content == "Hello." and streams == [False, True]


@pytest.mark.parametrize("sound_format", ["wav", "pcm16", "mp3", "flac", "opus", "aac"])
def test_a_spoken_answer_comes_in_the_format_asked_for(
    client: openai.OpenAI, scenario: Callable[..., None], sound_format: str
) -> None:
    scenario(replies=["Hello."])

    spoken = whole(
        client,
        model="qwen3.5-omni-flash",
        modalities=["text", "audio"],
        audio={"voice": "alloy", "format": sound_format},
    )

    audio = spoken.choices[0].message.audio
    begins = {"wav": b"RIFF", "pcm16": b"", "mp3": b"\xff", "flac": b"fLaC", "opus": b"OggS", "aac": b"\xff"}
    assert base64.b64decode(audio.data).startswith(begins[sound_format]) and len(audio.data) > 500
    assert audio.transcript == "Hello." and audio.id.startswith("audio_") and audio.expires_at > 0


def test_a_spoken_answer_as_wav_is_as_long_as_it_says(client: openai.OpenAI, scenario: Callable[..., None]) -> None:
    scenario(replies=["Hello."])

    spoken = whole(
        client, model="qwen3.5-omni-flash", modalities=["text", "audio"], audio={"voice": "Tina", "format": "wav"}
    )

    data = base64.b64decode(spoken.choices[0].message.audio.data)
    with wave.open(io.BytesIO(data)) as sound:
        assert (sound.getframerate(), sound.getnframes() * 2 + 44) == (24_000, len(data))


def test_a_spoken_answer_is_streamed_as_pcm_with_its_transcript(
    client: openai.OpenAI, scenario: Callable[..., None]
) -> None:
    scenario(replies=["Hello."])
    fields = {"model": "qwen3.5-omni-flash", "modalities": ["text", "audio"]}

    chunks = streamed(client, **fields, audio={"voice": "alloy", "format": "pcm16"})

    pieces = [delta["audio"] for chunk in chunks if "audio" in (delta := chunk.choices[0].delta.to_dict())]
    assert sum(len(base64.b64decode(piece.get("data", ""))) for piece in pieces) > 1000
    assert "".join(piece.get("transcript", "") for piece in pieces) == "Hello." == text_of(chunks)


def test_a_model_may_think_in_silence_for_longer_than_a_spoken_turn_could_wait(
    serve: Callable[..., RunningServer], client_of: Callable[..., openai.OpenAI], scenario: Callable[..., None]
) -> None:
    client = client_of(serve(upstream_idle_s=0.1, chat_idle_s=60.0))
    scenario(replies=["Done."], latency={"chat_first_token_ms": 400})

    assert whole(client).choices[0].message.content == "Done." == text_of(streamed(client))


# --- what goes wrong


@pytest.mark.parametrize(
    ("fault", "kind", "type_", "code"),
    [
        (
            {"status": 401, "code": "InvalidApiKey"},
            openai.AuthenticationError,
            "invalid_request_error",
            "invalid_api_key",
        ),
        (
            {"status": 403, "code": "AccessDenied"},
            openai.PermissionDeniedError,
            "permission_error",
            "permission_denied",
        ),
        ({"status": 404, "code": "ModelNotFound"}, openai.NotFoundError, "invalid_request_error", "model_not_found"),
        ({"status": 400}, openai.BadRequestError, "invalid_request_error", "invalid_parameter"),
        (
            {"status": 400, "code": "DataInspectionFailed"},
            openai.BadRequestError,
            "invalid_request_error",
            "content_policy_violation",
        ),
        ({"status": 429, "code": "Throttling.RateQuota"}, openai.RateLimitError, "requests", "rate_limit_exceeded"),
        ({"status": 400, "code": "Arrearage"}, openai.RateLimitError, "insufficient_quota", "insufficient_quota"),
        ({"status": 500}, openai.InternalServerError, "server_error", "upstream_error"),
        ({"kind": "reset"}, openai.InternalServerError, "server_error", "upstream_error"),
    ],
)
@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
def test_a_failure_before_the_first_event_is_an_error_with_its_status(
    client: openai.OpenAI,
    scenario: Callable[..., None],
    fault: dict[str, Any],
    kind: type[openai.APIStatusError],
    type_: str,
    code: str,
    is_stream: bool,
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "status", "times": 0} | fault])

    with pytest.raises(kind) as failed:
        client.chat.completions.create(model="qwen-plus", messages=QUESTION, stream=is_stream)

    assert (failed.value.type, failed.value.code) == (type_, code)
    assert_openai("ErrorResponse", failed.value.response.json())


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"model": "no-such-model"}, 404, None),
        ({"n": 5}, 400, "n"),
        ({"messages": []}, 400, "messages"),
        ({"temperature": 3}, 400, "temperature"),
        ({"logit_bias": {"1": 5}}, 400, "logit_bias"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "/etc/passwd"}}]}]}, 400,
         "messages[0].content[0].image_url"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused_with_the_name_of_what_is_wrong(
    client: openai.OpenAI, is_stream: bool, fields: dict[str, Any], status: int, param: str | None
) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        client.chat.completions.create(**{"model": "qwen-plus", "messages": QUESTION, "stream": is_stream} | fields)

    assert (refused.value.status_code, refused.value.param) == (status, param)
    assert_openai("ErrorResponse", refused.value.response.json())


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff", b"null", b"[" * 50_000, b'{"messages":' + b"[" * 50_000],
    ids=["nothing", "half", "list", "bytes", "null", "deep", "deep messages"],
)
def test_a_body_that_is_no_request_is_refused(server: RunningServer, body: bytes) -> None:
    answer = post(server, body)

    assert answer.status == 400
    assert_openai("ErrorResponse", json.loads(answer.read()))


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server: RunningServer) -> None:
    line = http.client.HTTPConnection(server.url[7:])
    line.putrequest("POST", "/v1/chat/completions")
    line.putheader("Authorization", f"Bearer {server.key}")
    line.putheader("Content-Length", "40000000")
    line.endheaders()

    answer = line.getresponse()

    assert answer.status == 413
    assert_openai("ErrorResponse", json.loads(answer.read()))
    line.close()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "error_event", "code": "InternalError"}, "upstream_error"),
        ({"kind": "error_event", "code": "Throttling.RateQuota"}, "rate_limit_exceeded"),
        ({"kind": "cut"}, "upstream_error"),
        ({"kind": "malformed"}, "upstream_malformed"),
    ],
)
def test_a_failure_in_mid_stream_is_raised_by_the_sdk(
    client: openai.OpenAI, scenario: Callable[..., None], fault: dict[str, Any], code: str
) -> None:
    scenario(faults=[{"stage": "chat", "after": 3} | fault])
    said: list[Any] = []

    with pytest.raises(openai.APIError) as failed:
        said.extend(client.chat.completions.create(model="qwen-plus", messages=QUESTION, stream=True))

    assert failed.value.code == code


@pytest.mark.parametrize("model", ["qwen-plus", "farui-plus"])
def test_an_error_that_comes_as_the_first_event_has_its_status(
    client: openai.OpenAI, scenario: Callable[..., None], model: str
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "error_event", "code": "Throttling.RateQuota", "status": 429}])

    with pytest.raises(openai.RateLimitError) as failed:
        client.chat.completions.create(model=model, messages=QUESTION, stream=True)

    assert failed.value.code == "rate_limit_exceeded" and failed.value.response.headers["retry-after"] == "1"


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
def test_a_vendor_that_says_nothing_at_all_is_given_up(
    serve: Callable[..., RunningServer],
    client_of: Callable[..., openai.OpenAI],
    scenario: Callable[..., None],
    is_stream: bool,
) -> None:
    client = client_of(serve(chat_idle_s=0.2))
    scenario(faults=[{"stage": "chat", "kind": "stall"}])

    with pytest.raises(openai.InternalServerError) as failed:
        client.chat.completions.create(model="qwen-plus", messages=QUESTION, stream=is_stream)

    assert (failed.value.status_code, failed.value.code) == (504, "request_timeout")


def test_a_gathered_answer_that_broke_off_is_an_error_with_a_status(
    client: openai.OpenAI, scenario: Callable[..., None]
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "cut", "after": 3}])

    with pytest.raises(openai.InternalServerError) as failed:
        client.chat.completions.create(model="qwen3-omni-flash", messages=QUESTION)

    assert failed.value.status_code == 502


def test_a_stream_that_failed_does_not_say_that_it_is_done(
    server: RunningServer, scenario: Callable[..., None]
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "error_event", "after": 3}])

    answer = post(server, {"model": "qwen-plus", "messages": QUESTION, "stream": True})

    *_, last = answer.read().decode().strip().split("\n\n")
    assert answer.status == 200 and last.startswith('data: {"error":')
    assert_openai("ErrorResponse", json.loads(last[6:]))


def test_when_the_client_leaves_the_vendors_call_ends(
    server: RunningServer, scenario: Callable[..., None], emulator: Emulator
) -> None:
    scenario(replies=["word " * 2000], latency={"chat_token_ms": 5})

    answer = post(server, {"model": "qwen-plus", "messages": QUESTION, "stream": True})
    next(answer.stream(100))
    answer.close()

    eventually(lambda: any(entry["kind"] == "dropped" for entry in emulator.journal(server.key)))


def test_requests_with_different_keys_never_swap_them(
    emulator: Emulator, key: str, tmp_path: Path, client_of: Callable[..., openai.OpenAI]
) -> None:
    keys = [f"{key}-{name}" for name in "abcd"]
    for name in keys:
        emulator.set_scenario(name, {"replies": [name], "latency": {"chat_token_ms": 1}})
    with ExitStack() as stack, ThreadPoolExecutor(len(keys)) as pool:
        servers = [stack.enter_context(running_server(emulator, tmp_path / name, key=name)) for name in keys]
        clients = [client_of(server) for server in servers]

        told = list(pool.map(lambda client: [text_of(streamed(client)) for _ in range(5)], clients))

    assert told == [[name] * 5 for name in keys]

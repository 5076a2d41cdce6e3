"""The openai SDK, unmodified, takes the emulator's compatible surface for the real service."""

import base64
from collections.abc import Callable

import openai
import pydantic
import pytest

from emulator import Emulator
from emulator.ear import hear
from emulator.voice import pcm_to_wav, speak

QUESTION = [{"role": "user", "content": "What is the weather today?"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]


@pytest.fixture
def client(emulator: Emulator, key: str) -> openai.OpenAI:
    return openai.OpenAI(api_key=key, base_url=emulator.compatible_url, max_retries=0)


def test_the_models_in_service_are_listed_and_the_retired_are_not(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]

    assert "qwen-plus" in names and "qwen3-tts-flash-realtime" in names
    assert "qwen-turbo" not in names


def test_a_chat_is_answered_whole(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="qwen-plus", messages=QUESTION)

    assert answer.choices[0].message.content.startswith("You said: What is the weather today?")
    assert answer.choices[0].finish_reason == "stop" and answer.usage.total_tokens > 0


def test_a_stream_brings_small_deltas_and_the_usage_last(client: openai.OpenAI, scenario: Callable[..., None]) -> None:
    scenario(replies=["你好，很高兴见到你。"])

    chunks = list(
        client.chat.completions.create(
            model="qwen-plus", messages=QUESTION, stream=True, stream_options={"include_usage": True}
        )
    )

    deltas = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert "".join(deltas) == "你好，很高兴见到你。" and max(map(len, deltas)) <= 4
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_replies_are_used_in_order_and_the_last_repeats(client: openai.OpenAI, scenario: Callable[..., None]) -> None:
    scenario(replies=["one", "two"])

    answers = [client.chat.completions.create(model="qwen-plus", messages=QUESTION) for _ in range(3)]

    assert [answer.choices[0].message.content for answer in answers] == ["one", "two", "two"]


def test_reasoning_comes_before_the_answer(client: openai.OpenAI, scenario: Callable[..., None]) -> None:
    scenario(replies=["Sunny."], reasoning="Let me think.")

    chunks = client.chat.completions.create(
        model="qwen3.7-plus", messages=QUESTION, stream=True, extra_body={"enable_thinking": True}
    )

    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == "Let me think."
    assert "".join(delta.content or "" for delta in deltas) == "Sunny."


def test_a_tool_call_is_streamed_in_fragments_with_one_id(client: openai.OpenAI, scenario: Callable[..., None]) -> None:
    scenario(tool_calls=[{"name": "get_weather", "arguments": {"city": "北京"}}])

    chunks = list(client.chat.completions.create(model="qwen-plus", messages=QUESTION, tools=TOOLS, stream=True))

    calls = [chunk.choices[0].delta.tool_calls[0] for chunk in chunks if chunk.choices[0].delta.tool_calls]
    assert calls[0].id.startswith("call_") and all(call.id == "" for call in calls[1:])
    assert "".join(call.function.arguments for call in calls) == '{"city":"北京"}'
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_a_tool_result_is_answered_in_words(client: openai.OpenAI, scenario: Callable[..., None]) -> None:
    scenario(tool_calls=[{"name": "get_weather"}], replies=["It is sunny."])
    asked = client.chat.completions.create(model="qwen-plus", messages=QUESTION, tools=TOOLS).choices[0].message
    result = {"role": "tool", "tool_call_id": asked.tool_calls[0].id, "content": "sunny"}

    answer = client.chat.completions.create(
        model="qwen-plus", messages=[*QUESTION, asked.model_dump(exclude_none=True), result], tools=TOOLS
    )

    assert answer.choices[0].message.content == "It is sunny."


def test_speech_is_recognised_through_the_chat_surface(client: openai.OpenAI) -> None:
    sound = base64.b64encode(pcm_to_wav(speak("你好，世界。"), rate_hz=24000)).decode()
    part = {"type": "input_audio", "input_audio": {"data": f"data:audio/wav;base64,{sound}"}}

    answer = client.chat.completions.create(
        model="qwen3-asr-flash", messages=[{"role": "user", "content": [part]}], extra_body={"asr_options": {}}
    )

    assert answer.choices[0].message.content == "你好，世界。"


def test_an_omni_model_speaks_in_a_stream(client: openai.OpenAI, scenario: Callable[..., None]) -> None:
    scenario(replies=["你好，世界。"])

    chunks = client.chat.completions.create(
        model="qwen3.5-omni-plus",
        messages=QUESTION,
        modalities=["text", "audio"],
        audio={"voice": "Tina", "format": "wav"},
        stream=True,
        stream_options={"include_usage": True},
    )

    deltas, usage = [], None
    for chunk in chunks:
        deltas += [choice.delta for choice in chunk.choices]
        usage = chunk.usage
    sounds = [delta.audio for delta in deltas if getattr(delta, "audio", None)]
    pcm = b"".join(base64.b64decode(field(sound, "data")) for sound in sounds)
    assert "".join(delta.content or "" for delta in deltas) == hear(pcm, rate_hz=24000) == "你好，世界。"
    assert {field(sound, "id")[:6] for sound in sounds} == {"audio_"}
    assert usage.completion_tokens_details.audio_tokens > 0


def field(sound: object, name: str) -> str:
    """Some releases parse the audio object into a class, others leave it a dictionary."""
    return sound[name] if isinstance(sound, dict) else getattr(sound, name)


def test_one_model_can_be_retrieved(client: openai.OpenAI) -> None:
    assert client.models.retrieve("qwen-plus").id == "qwen-plus"


def test_a_schema_is_parsed_into_its_class(client: openai.OpenAI) -> None:
    class City(pydantic.BaseModel):
        name: str
        size: int

    answer = client.chat.completions.parse(model="qwen-plus", messages=QUESTION, response_format=City)

    assert answer.choices[0].message.parsed == City(name="What is the weather today?", size=0)


def test_probabilities_are_parsed(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="qwen-plus", messages=QUESTION, logprobs=True, top_logprobs=2)

    tokens = answer.choices[0].logprobs.content
    assert "".join(token.token for token in tokens) == answer.choices[0].message.content
    assert all(len(token.top_logprobs) == 2 for token in tokens)


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"model": "qwen-turbo"}, 403, "access_denied"),
        ({"model": "no-such-model"}, 404, "model_not_found"),
        ({"model": "qwen3-tts-flash"}, 404, "model_not_supported"),
        ({"temperature": 2}, 400, "invalid_parameter_error"),
        ({"messages": []}, 400, "invalid_parameter_error"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "y"}]}, 400, "invalid_parameter_error"),
        ({"response_format": {"type": "json_object"}}, 400, "invalid_parameter_error"),
    ],
)
def test_a_wrong_request_is_refused_with_the_documented_code(
    client: openai.OpenAI, options: dict, status: int, code: str
) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        client.chat.completions.create(**{"model": "qwen-plus", "messages": QUESTION, **options})

    assert (refused.value.status_code, refused.value.code) == (status, code)


def test_an_error_of_a_streamed_request_is_one_data_line_with_its_status(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="qwen-plus", messages=QUESTION, temperature=7, stream=True)

    body = refused.value.response.text
    assert body.startswith('data: {"error":') and body.endswith("}\n\n") and "Temperature should be" in body


def test_an_invalid_key_is_refused(emulator: Emulator) -> None:
    client = openai.OpenAI(api_key="sk-invalid", base_url=emulator.compatible_url, max_retries=0)

    with pytest.raises(openai.AuthenticationError) as refused:
        client.models.list()

    assert refused.value.code == "invalid_api_key"


def test_an_error_in_mid_stream_is_raised_by_the_sdk(client: openai.OpenAI, scenario: Callable[..., None]) -> None:
    scenario(faults=[{"stage": "chat", "kind": "error_event", "after": 3, "code": "InternalError"}])

    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="qwen-plus", messages=QUESTION, stream=True))


def test_scripted_reasoning_is_told_by_a_model_that_does_not_think_unasked(
    client: openai.OpenAI, scenario: Callable[..., None]
) -> None:
    scenario(replies=["Sunny."], reasoning="Let me think.")

    message = client.chat.completions.create(model="qwen-plus", messages=QUESTION).choices[0].message

    assert (message.reasoning_content, message.content) == ("Let me think.", "Sunny.")

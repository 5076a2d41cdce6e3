"""Whatever stands in a body, the emulator answers: a line that drops would be taken for a fault of the service."""

import copy
from collections.abc import Iterator

import pytest

STRANGE = (None, True, -1, 1e308, 1.5, "", "x", [], [1], ["x"], {}, {"x": 1}, "data:;base64,AAAA")
CHAT = {
    "model": "qwen3.5-omni-flash",
    "messages": [
        {"role": "system", "content": "Be short."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": [{"id": "a", "function": {"name": "f"}}]},
        {"role": "tool", "content": "1", "tool_call_id": "a"},
    ],
    "stream": True,
    "stream_options": {"include_usage": True},
    "modalities": ["text", "audio"],
    "audio": {"voice": "Cherry", "format": "wav"},
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "array", "items": {}}}},
    "n": 1,
    "stop": ["."],
    "logprobs": True,
    "top_logprobs": 1,
    "max_tokens": 5,
    "translation_options": {"target_lang": "en"},
}
WHOLE = {name: value for name, value in CHAT.items() if name not in ("stream", "stream_options", "modalities", "audio")}
WHOLE["model"] = "qwen3-vl-plus"
HEARD_BY_CHAT = {
    "model": "qwen3-asr-flash",
    "messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "data:;base64,AAAA"}}]}],
    "asr_options": {"language": "zh"},
    "stream": True,
}
WRITTEN = {
    "model": "qwen-plus",
    "input": {"prompt": "x", "messages": [{"role": "user", "content": "x"}]},
    "parameters": {"result_format": "message", "tools": WHOLE["tools"], "enable_thinking": True},
}
HEARD = {
    "model": "qwen3-asr-flash",
    "input": {"messages": [{"role": "user", "content": [{"audio": "data:;base64,AAAA"}]}]},
    "parameters": {"asr_options": {"language": "zh"}, "incremental_output": True},
}
SPOKEN = {
    "model": "cosyvoice-v3-flash",
    "input": {
        "text": "x",
        "voice": "longanyang",
        "format": "wav",
        "sample_rate": 8000,
        "volume": 50,
        "instruction": "x",
    },
}
READ = {
    "model": "qwen3-tts-flash",
    "input": {"text": "x", "voice": "Cherry", "language_type": "Auto", "instructions": "x"},
}
TASK = {
    "model": "paraformer-v2",
    "input": {"file_urls": ["http://127.0.0.1:9/x.wav"]},
    "parameters": {"channel_id": [0], "language_hints": ["zh"], "diarization_enabled": True, "speaker_count": 2},
}
SERVICES = "api/v1/services"


def mutations(body: object) -> Iterator[object]:
    """Every body in which one value, at any depth, is replaced by something strange."""
    for path in paths(body):
        for value in STRANGE:
            changed = copy.deepcopy(body)
            holder = changed
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = value
            yield changed


def paths(value: object, above: tuple = ()) -> Iterator[tuple]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield (*above, step)
        yield from paths(item, (*above, step))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("compatible-mode/v1/chat/completions", CHAT, id="chat"),
        pytest.param("compatible-mode/v1/chat/completions", WHOLE, id="whole chat"),
        pytest.param("compatible-mode/v1/chat/completions", HEARD_BY_CHAT, id="recognition by chat"),
        pytest.param(f"{SERVICES}/aigc/text-generation/generation", WRITTEN, id="native chat"),
        pytest.param(f"{SERVICES}/aigc/multimodal-generation/generation", HEARD, id="recognition"),
        pytest.param(f"{SERVICES}/aigc/multimodal-generation/generation", READ, id="synthesis"),
        pytest.param(f"{SERVICES}/audio/tts/SpeechSynthesizer", SPOKEN, id="cosyvoice"),
        pytest.param(f"{SERVICES}/audio/asr/transcription", TASK, id="task"),
    ],
)
def test_a_strange_value_anywhere_is_answered(emulator, http, path: str, body: dict) -> None:
    http.headers["X-DashScope-Async"] = "enable"
    statuses = {}
    for changed in mutations(body):
        answer = http.post(f"{emulator.url}/{path}", json=changed, timeout=10)
        statuses.setdefault(answer.status_code, changed)

    assert set(statuses) <= {200, 400, 404}, statuses

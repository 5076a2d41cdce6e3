"""Models as data: which were retired, and what took their place.

Source: the vendor's model deprecation page (retirements of 2026-10-10); a retired name still works here, with a
warning, for accounts and compatible servers that go on serving it.
"""

from collections.abc import Iterator

RETIRED = {
    "qwen-turbo": "qwen-flash",
    "qwen-vl-plus": "qwen3-vl-plus",
    "qwen-vl-max": "qwen3-vl-plus",
    "qwq-plus": "qwen3.7-plus",
    "qwen3-max": "qwen3.7-max",
    "qwen3-max-preview": "qwen3.7-max",
    "qwen3-vl-flash": "qwen3.6-flash",
    "paraformer-v1": "paraformer-v2",
    "paraformer-8k-v1": "paraformer-8k-v2",
    "paraformer-mtl-v1": "fun-asr",
    "paraformer-realtime-v1": "paraformer-realtime-v2",
    "sensevoice-v1": "fun-asr",
    "fun-asr-mtl": "fun-asr",
    "qwen-audio-asr": "qwen3-asr-flash",
    "qwen-tts": "qwen3-tts-flash",
    "qwen-tts-latest": "qwen3-tts-flash",
    "qwen-tts-realtime": "qwen3-tts-flash-realtime",
    "qwen-tts-realtime-latest": "qwen3-tts-flash-realtime",
    "qwen3-tts-instruct-flash": "qwen3-tts-flash",
    "qwen3-tts-instruct-flash-realtime": "qwen3-tts-flash-realtime",
    "cosyvoice-v1": "cosyvoice-v3-plus",
    "qwen-omni-turbo": "qwen3.5-omni-plus",
    "qwen-omni-turbo-realtime": "qwen3.5-omni-plus-realtime",
    "qwen3-omni-flash-realtime": "qwen3.5-omni-plus-realtime",
}


def retired_among(*names: str) -> Iterator[tuple[str, str]]:
    """Yield (name, successor) for every name that the vendor has retired."""
    for name in dict.fromkeys(names):
        if name in RETIRED:
            yield name, RETIRED[name]

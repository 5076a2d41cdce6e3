"""G10, G11, G12: what the server adds to an HTTP call, how many calls a worker does, how soon its voice is heard.

Every contender is measured with the same requests against the same upstream, one after the other in each round, and the
median of the rounds counts; the machine's noise hits all of them. "Direct" is the upstream without anyone in between.
Where thousands of calls are made the upstream is nginx with an answer in memory; where time passes it is the emulator.
Nobody logs requests meanwhile.
"""

import contextlib
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Final

from bench import load
from bench.contenders import STREAM_KEY, WHOLE_KEY, fixed_upstream, litellm, nginx_proxies
from bench.load import Load
from bench.results import Row
from bench.rig import KEY, Rig, rig

_PEERS: Final = ("nginx", "LiteLLM")
_ALL: Final = ("direct", "ours", *_PEERS)
_ROUNDS: Final = 5
_ALONE_S, _CROWD_S = 1.5, 2.5
_CONNECTIONS: Final = 16
_STREAMS: Final = 60
_TOKEN_MS, _VOICE_MS = 300.0, 400.0
_QUESTION: Final = "Please tell me what the weather is like today, and what I could do in the afternoon."
_SENTENCE: Final = "今天的天气很好，适合出门走一走，看看山和水。"
_CHAT: Final = "/v1/chat/completions"
_SPEECH: Final = "/v1/audio/speech"
_NATIVE_SPEECH: Final = "/api/v1/services/aigc/multimodal-generation/generation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Who is compared: each one's URL for chats with the fixed upstream, for chats with the emulator, for speech."""

    fixed: dict[str, str]
    chat: dict[str, str]
    speech: dict[str, str]


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        fixed_url = stack.enter_context(fixed_upstream(Path(folder)))
        field, running = _field(stack, fixed_url, Path(folder))
        return [
            *_overhead(field.fixed),
            *_throughput(field.fixed),
            *_crowd(field.chat, running),
            *_voice(field, running),
        ]


def _field(stack: contextlib.ExitStack, fixed_url: str, folder: Path) -> tuple[Field, Rig]:
    running = stack.enter_context(rig())
    fixed = stack.enter_context(rig(QWEN_API_CHAT_URL=f"{fixed_url}/compatible-mode{_CHAT}"))
    passing = stack.enter_context(nginx_proxies(folder, fixed_url, running.emulator_url))
    compatible = f"{running.emulator_url}/compatible-mode"
    lite = stack.enter_context(
        litellm(
            folder, fixed_url=f"{fixed_url}/v1", chat_url=f"{compatible}/v1", speech_url=f"{running.url}/v1", key=KEY
        )
    )
    field = Field(
        fixed={"direct": fixed_url, "ours": fixed.url, "nginx": passing[0], "LiteLLM": lite},
        chat={"direct": compatible, "ours": running.url, "nginx": f"{passing[1]}/compatible-mode", "LiteLLM": lite},
        speech={"direct": running.emulator_url, "ours": running.url, "LiteLLM": lite},
    )
    return field, running


def _overhead(urls: dict[str, str]) -> Iterator[Row]:
    """One call at a time: what each contender adds to the median of the direct call."""
    yield from _added(_asker(urls, WHOLE_KEY, "whole", is_stream=False), "total", "whole answer")
    yield from _added(_asker(urls, STREAM_KEY, "stream", is_stream=True), "first", "first byte of a stream")


def _added(ask: Callable[..., Load], moment: str, what: str) -> Iterator[Row]:
    rounds = _rounds(_ALL, lambda name: ask(name, connections=1, seconds=_ALONE_S))
    base = _median(rounds["direct"], f"{moment}.p50")
    p50, p99 = ({name: _median(rounds[name], f"{moment}.{at}") - base for name in _ALL} for at in ("p50", "p99"))
    yield Row(
        goal="G10",
        what=f"chat pass-through overhead, one at a time, {what}, p50 / p99",
        figure=f"{p50['ours']:.2f} / {p99['ours']:.1f} ms",
        target="<= 1.5 / 6 ms",
        met=p50["ours"] <= 1.5 and p99["ours"] <= 6,
    )
    for peer in _PEERS:
        figure = f"{p50[peer]:.2f} / {p99[peer]:.1f} ms; {p50[peer] / p50['ours']:.2g}x ours"
        yield _beside("G10", f"the same by {peer}", figure)


def _throughput(urls: dict[str, str]) -> Iterator[Row]:
    """As many whole chats as a worker can do."""
    ask = _asker(urls, WHOLE_KEY, "whole", is_stream=False)
    rounds = _rounds(_ALL, lambda name: ask(name, connections=_CONNECTIONS, seconds=_CROWD_S))
    per_s = {name: _median(rounds[name], "per_s") for name in _ALL}
    ratio = per_s["ours"] / per_s["LiteLLM"]
    yield Row(
        goal="G11",
        what=f"whole chats by one worker, {_CONNECTIONS} connections; over LiteLLM's",
        figure=f"{per_s['ours']:.0f}/s; {ratio:.1f}x",
        target=">= 10x",
        met=ratio >= 10,
    )
    others = ", ".join(f"{name} {per_s[name]:.0f}/s" for name in ("LiteLLM", "nginx", "direct"))
    yield _beside("G11", "the same by one worker of the others", others)


def _crowd(urls: dict[str, str], running: Rig) -> Iterator[Row]:
    """Many streams begun together: their first token, over the upstream's own."""
    running.script(replies=[_SENTENCE * 8], latency={"chat_first_token_ms": _TOKEN_MS, "chat_token_ms": 20})
    ask = _asker(urls, KEY, "chat", is_stream=True)
    rounds = _rounds(_ALL, lambda name: ask(name, connections=_STREAMS, most=_STREAMS))
    p50, p95 = (
        {name: _median(rounds[name], f"first.{at}") - _median(rounds["direct"], f"first.{at}") for name in _ALL}
        for at in ("p50", "p95")
    )
    yield Row(
        goal="G11",
        what=f"first token of {_STREAMS} streams begun together, over the upstream's own, p50 / p95",
        figure=f"{p50['ours']:.0f} / {p95['ours']:.0f} ms",
        target="<= 20 ms",
        met=p50["ours"] <= 20,
    )
    for peer in _PEERS:
        yield _beside("G11", f"the same by {peer}", f"{p50[peer]:.0f} / {p95[peer]:.0f} ms")


def _voice(field: Field, running: Rig) -> Iterator[Row]:
    """The first byte of an MP3, over the first sound that the upstream's stream brings."""
    running.script(latency={"tts_first_audio_ms": _VOICE_MS, "tts_speed": 5.0})
    wish = {"model": "tts-1", "voice": "alloy", "input": _SENTENCE * 3, "response_format": "mp3"}
    native = {"model": "qwen3-tts-flash", "input": {"text": _SENTENCE, "voice": "Cherry", "language_type": "Auto"}}
    sse = {"X-DashScope-SSE": "enable"}
    requests = {
        "direct": load.post(f"{field.speech['direct']}{_NATIVE_SPEECH}", native, key=KEY, headers=sse),
        "ours": load.post(f"{field.speech['ours']}{_SPEECH}", wish, key=KEY),
        "LiteLLM": load.post(f"{field.speech['LiteLLM']}{_SPEECH}", wish | {"model": "speech"}, key=KEY),
    }
    rounds = _rounds(tuple(requests), lambda name: load.run(field.speech[name], requests[name], connections=1, most=3))
    first = {name: _median(runs, "first.p50") for name, runs in rounds.items()}
    added = first["ours"] - first["direct"]
    yield Row(
        goal="G12",
        what="first byte of /v1/audio/speech (mp3) over the upstream's first audio, p50",
        figure=f"{added:.0f} ms",
        target="<= 30 ms",
        met=added <= 30,
    )
    yield _beside(
        "G12", "LiteLLM in front of this server, over this server", f"{first['LiteLLM'] - first['ours']:.0f} ms"
    )


def _asker(urls: dict[str, str], key: str, model: str, *, is_stream: bool) -> Callable[..., Load]:
    """Return what asks a contender by its name; LiteLLM knows its upstreams by the name of a model."""

    def ask(name: str, *, connections: int, seconds: float = 0.0, most: int = 0) -> Load:
        content = {
            "model": model if name == "LiteLLM" else "qwen-plus",
            "messages": [{"role": "user", "content": _QUESTION}],
            "stream": is_stream,
        }
        url = f"{urls[name]}{_CHAT}"
        return load.run(url, load.post(url, content, key=key), connections=connections, seconds=seconds, most=most)

    return ask


def _rounds(names: tuple[str, ...], one: Callable[[str], Load]) -> dict[str, list[Load]]:
    """Let each contender run in each round, another one first each time; the first round does not count."""
    rounds: list[dict[str, Load]] = []
    for turn in range(_ROUNDS + 1):
        first = turn % len(names)
        rounds.append({name: one(name) for name in names[first:] + names[:first]})
    return {name: [done[name] for done in rounds[1:]] for name in names}


def _median(runs: list[Load], figure: str) -> float:
    """Return the median over the rounds of a figure by its name: `total.p50`."""
    return float(statistics.median(map(attrgetter(figure), runs)))


def _beside(goal: str, what: str, figure: str) -> Row:
    return Row(goal=goal, what=what, figure=figure, target="(beside it)", met=True)

"""What the server is measured beside: nothing at all, nginx as a plain proxy, and LiteLLM's proxy.

Debian's nginx (`apt-get install nginx-light`) also plays the upstream whose answers are all the same and cost little.
LiteLLM is installed once into an environment of its own below the tests' artifacts (a minute, 740 MB).
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from bench.rig import free_port, process, wait_for

LITELLM: Final = "litellm[proxy]==1.106.2"
_NO_KEY: Final = "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"  # it listens on this machine only
_CACHE: Final = Path(__file__).parent.parent / "test" / "artifacts" / "bench"
WHOLE_KEY, STREAM_KEY = "sk-bench-whole", "sk-bench-stream"
"""The fixed upstream answers one of them whole and the other as a stream: it cannot read the request."""
_TEXT: Final = "The weather is fine today: sunny, 21 degrees, a light wind from the west. Take a walk in the park. "
_USAGE: Final = {"prompt_tokens": 24, "completion_tokens": 96, "total_tokens": 120}
_CHAT: Final[dict[str, object]] = {
    "id": "chatcmpl-1",
    "created": 1_800_000_000,
    "model": "qwen-plus",
    "system_fingerprint": None,
}

_NGINX: Final = """
daemon off; pid {folder}/nginx.pid; worker_processes 1; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000; tcp_nodelay on;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  {body}
}}
"""
_FIXED: Final = """
  server {{ listen 127.0.0.1:{port} backlog=4096;
    add_header x-request-id 11111111-2222-3333-4444-555555555555;
    location / {{
      if ($http_authorization = "Bearer {stream_key}") {{ rewrite ^ /stream last; }}
      rewrite ^ /whole last;
    }}
    location = /whole {{ internal; default_type application/json; {whole} }}
    location = /stream {{ internal; default_type text/event-stream; {stream} }}
  }}
"""
_PROXY: Final = """
  upstream u{port} {{ server {upstream}; keepalive 256; keepalive_requests 1000000; }}
  server {{ listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://u{port}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
"""


@contextlib.contextmanager
def fixed_upstream(folder: Path) -> Iterator[str]:
    """Serve the same chat answer to every request, from memory; yield its URL."""
    port = free_port()
    answers = {"whole": _returned(_whole()), "stream": _returned(_stream())}
    with _nginx(folder / "fixed", _FIXED.format(port=port, stream_key=STREAM_KEY, **answers)):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def nginx_proxies(folder: Path, *upstreams: str) -> Iterator[list[str]]:
    """Pass everything on to each upstream; yield the proxies' URLs."""
    ports = [free_port() for _ in upstreams]
    pairs = zip(ports, upstreams, strict=True)
    with _nginx(folder / "proxy", "".join(_PROXY.format(port=p, upstream=u.partition("://")[2]) for p, u in pairs)):
        yield [f"http://127.0.0.1:{port}" for port in ports]


@contextlib.contextmanager
def litellm(folder: Path, *, fixed_url: str, chat_url: str, speech_url: str, key: str) -> Iterator[str]:
    """Run LiteLLM's proxy with the models `whole`, `stream` (the fixed upstream), `chat` and `speech`."""
    program, port = _installed(), free_port()
    models = [
        _model("whole", fixed_url, WHOLE_KEY),
        _model("stream", fixed_url, STREAM_KEY),
        _model("chat", chat_url, key),
        _model("speech", speech_url, key, vendor_name="tts-1"),
    ]
    config = folder / "litellm.yaml"
    config.write_bytes(msgspec.json.encode({"model_list": models, "litellm_settings": {"telemetry": False}}))
    command = [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    quiet = {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "*", _NO_KEY: "true"}
    with process([*command, "--num_workers", "1", "--telemetry", "False"], quiet):
        wait_for(f"http://127.0.0.1:{port}/health/liveliness", within_s=120)
        yield f"http://127.0.0.1:{port}"


def _model(name: str, base_url: str, key: str, *, vendor_name: str = "qwen-plus") -> dict[str, object]:
    access = {"model": f"openai/{vendor_name}", "api_base": base_url, "api_key": key}
    return {"model_name": name, "litellm_params": access}


def _whole() -> str:
    message = {"role": "assistant", "content": _TEXT * 4}
    choice: dict[str, object] = {"message": message, "finish_reason": "stop", "index": 0, "logprobs": None}
    return _json(_CHAT | {"choices": [choice], "object": "chat.completion", "usage": _USAGE})


def _stream() -> str:
    words = _TEXT.split(" ")
    deltas = [{"content": "", "role": "assistant"}, *({"content": f"{word} "} for word in words)]
    choices: list[dict[str, object]] = [
        {"delta": delta, "finish_reason": None, "index": 0, "logprobs": None} for delta in deltas
    ]
    choices.append({"delta": {"content": ""}, "finish_reason": "stop", "index": 0, "logprobs": None})
    chunks = [_CHAT | {"choices": [c], "object": "chat.completion.chunk", "usage": None} for c in choices]
    return "".join(f"data: {_json(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


def _returned(text: str) -> str:
    """Return the nginx directives that answer with a text; one word of its language holds less than 4096 bytes."""
    size = 2000
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    known = "".join(f"set $p{n} '{piece}'; " for n, piece in enumerate(pieces))
    names = "".join(f"$p{n}" for n in range(len(pieces)))
    return f'{known}return 200 "{names}";'


def _json(content: object) -> str:
    return msgspec.json.encode(content).decode()


@contextlib.contextmanager
def _nginx(folder: Path, body: str) -> Iterator[None]:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise RuntimeError("This benchmark compares with nginx: apt-get install nginx-light")
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, body=body))
    with process([program, "-e", str(folder / "start.log"), "-p", str(folder), "-c", str(config)], {}):
        yield


def _installed() -> Path:
    """Return LiteLLM's program, installing it once."""
    home = _CACHE / LITELLM.replace("[", "-").replace("]", "").replace("==", "-")
    program = home / "bin" / "litellm"
    if not program.exists():
        sys.stdout.write(f"… installing {LITELLM} into {home}, once\n")
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", LITELLM]
        subprocess.run(pip, check=True, timeout=900)
    return program

"""The vendor's SDK runs over our line, and keeps nothing of a call for the next."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dashscope
import pytest

from protocol.keys import ApiKey
from providers.dashscope.sdk import submit_transcription
from providers.dashscope.transport import Transport
from services.flow import CancelToken
from test.providers.vendor import Line
from test.providers.vendor import Vendor as ScriptedVendor

SUBMITTED = b'{"output":{"task_id":"t1","task_status":"PENDING"},"request_id":"r1"}'


@pytest.fixture
def seen() -> list[tuple[str, dict[str, str], bytes]]:
    return []


@pytest.fixture
def vendor(
    script: Callable[[Callable[[Line], None]], ScriptedVendor], seen: list[tuple[str, dict[str, str], bytes]]
) -> ScriptedVendor:
    def take(line: Line) -> None:
        while True:
            seen.append(line.request())
            line.answer(SUBMITTED)

    return script(take)


def submit(
    transport: Transport, vendor: ScriptedVendor, key: ApiKey, *, url: str = "http://x/a.wav", model: str = "fun-asr"
) -> str:
    return submit_transcription(transport, url, model=model, base_url=vendor.url, key=key, cancel=CancelToken())


def test_each_call_has_its_own_key_over_the_one_connection(
    transport: Transport, vendor: ScriptedVendor, seen: list[tuple[str, dict[str, str], bytes]]
) -> None:
    for name in ("sk-one", "sk-two"):
        assert submit(transport, vendor, ApiKey(name)) == "t1"

    assert [headers["authorization"] for _, headers, _ in seen] == ["Bearer sk-one", "Bearer sk-two"]
    assert vendor.connections == 1


def test_nothing_is_kept_in_the_sdks_globals(transport: Transport, vendor: ScriptedVendor, api_key: ApiKey) -> None:
    before = (dashscope.api_key, dashscope.base_http_api_url)

    submit(transport, vendor, api_key)

    assert (dashscope.api_key, dashscope.base_http_api_url) == before
    assert api_key.reveal() not in str(vars(dashscope))


@pytest.mark.parametrize(("url", "resolve"), [("oss://dir/a.wav", "enable"), ("http://x/a.wav", None)])
def test_the_vendor_is_told_to_look_an_upload_up(
    url: str, resolve: str | None, transport: Transport, vendor: ScriptedVendor, api_key: ApiKey,
    seen: list[tuple[str, dict[str, str], bytes]],
) -> None:  # fmt: skip
    submit(transport, vendor, api_key, url=url)

    assert seen[0][1].get("x-dashscope-ossresourceresolve") == resolve


@pytest.mark.parametrize(
    ("model", "field"),
    [("fun-asr", b'"file_urls": ["http://x/a.wav"]'), ("qwen3-asr-flash-filetrans", b'"file_url": "http://x/a.wav"')],
)
def test_each_family_is_asked_in_its_own_words(
    model: str, field: bytes, transport: Transport, vendor: ScriptedVendor, api_key: ApiKey,
    seen: list[tuple[str, dict[str, str], bytes]],
) -> None:  # fmt: skip
    submit(transport, vendor, api_key, model=model)

    assert field in seen[0][2]
    assert seen[0][0] == "POST /services/audio/asr/transcription HTTP/1.1"


def test_a_netrc_does_not_replace_the_callers_key(
    transport: Transport, vendor: ScriptedVendor, api_key: ApiKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    seen: list[tuple[str, dict[str, str], bytes]],
) -> None:  # fmt: skip
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    submit(transport, vendor, api_key)

    assert seen[0][1]["authorization"] == f"Bearer {api_key.reveal()}"


def test_a_server_that_needs_no_sdk_does_not_load_it() -> None:
    """It costs a third of a second and 45 MB."""
    program = "import sys, providers.dashscope.recognisers; sys.exit('dashscope' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": "."}, check=False)

    assert done.returncode == 0

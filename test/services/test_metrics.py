"""The numbers of the server: what requests and turns tell, as Prometheus reads it, one worker or many."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3

from emulator import Emulator
from protocol.errors import UpstreamBusy
from protocol.keys import digest
from services.metrics import Metrics
from test.support.device import TestDevice, spoken_wav
from test.support.server_process import ServerProcess, vendor_settings
from test.support.servers import RunningServer
from test.support.waiting import eventually

Numbers = dict[str, float]


def read(text: str) -> Numbers:
    """Return every number under its name and labels."""
    return {name: float(value) for name, value in re.findall(r"^([^#\s].*) (\S+)$", text, re.MULTILINE)}


def numbers(url: str, **headers: str) -> Numbers:
    answer = urllib3.request("GET", f"{url}/metrics", headers=headers)
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain")
    return read(answer.data.decode())


def test_a_request_is_counted_by_its_route_never_by_its_path(serve: Callable[..., RunningServer]) -> None:
    url = serve().url

    for path in ("/v1/models/none-a", "/v1/models/none-b", "/v1/nothing", "/.env"):
        urllib3.request("GET", url + path)
    urllib3.request("BREW", f"{url}/health")

    counted = "http_requests_total{{method={},route={},status={}}}".format
    eventually(lambda: numbers(url).get(counted('"other"', '"none"', '"405"')) == 1)
    seen = numbers(url)
    assert seen[counted('"GET"', '"/v1/models/<path:name>"', '"404"')] == 2
    assert seen[counted('"GET"', '"none"', '"404"')] == 2
    assert seen['http_request_seconds_count{route="none"}'] >= 2
    eventually(lambda: numbers(url)["http_in_flight"] == 1)
    assert not [name for name in seen if ".env" in name or "none-a" in name]


def test_a_turn_is_counted_with_its_stages_and_leaves_nothing_in_flight(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice]
) -> None:
    server = serve()
    device = connect(server)
    device.turn(spoken_wav("hello"))

    eventually(lambda: numbers(server.url).get('turns_total{outcome="ok"}') == 1)
    seen = numbers(server.url)
    assert seen["websocket_sessions"] == 1 and seen["outbox_queued"] == 0
    assert all(seen[f'turn_stage_seconds_count{{stage="{stage}"}}'] == 1 for stage in ("asr", "first_pcm", "end"))
    assert all(seen[f'stage_in_flight{{stage="{stage}"}}'] == 0 for stage in ("asr", "chat", "tts"))

    device.ws.close()

    eventually(lambda: numbers(server.url)["websocket_sessions"] == 0)


def test_failures_of_the_vendor_are_counted_by_stage_and_by_route(
    serve: Callable[..., RunningServer], connect: Callable[..., TestDevice], scenario: Callable[..., None]
) -> None:
    scenario(faults=[{"stage": "chat", "kind": "status", "status": 429, "code": "Throttling", "times": 0}])
    server = serve()
    connect(server).turn(spoken_wav("hello"))
    question = {"model": "qwen-plus", "messages": [{"role": "user", "content": "hello"}]}

    urllib3.request("POST", f"{server.url}/v1/chat/completions", json=question, retries=False)

    errors = 'upstream_errors_total{{code="rate_limit_exceeded",where="{}"}}'.format
    eventually(lambda: numbers(server.url).get(errors("/v1/chat/completions")) == 1)
    seen = numbers(server.url)
    assert seen[errors("chat")] == 1 and seen['turns_total{outcome="failed"}'] == 1


def test_a_stage_that_fails_is_in_flight_no_more() -> None:
    metrics = Metrics()

    with pytest.raises(UpstreamBusy), metrics.stage("tts"):
        raise UpstreamBusy("busy")

    seen = read(metrics.text()[0].decode())
    assert seen['stage_in_flight{stage="tts"}'] == 0
    assert seen['upstream_errors_total{code="rate_limit_exceeded",where="tts"}'] == 1


def test_the_numbers_are_for_callers_alone(serve: Callable[..., RunningServer]) -> None:
    server = serve(api_tokens=f"sha256:{digest('vb-t')}")

    assert urllib3.request("GET", f"{server.url}/metrics").status == 401
    assert numbers(server.url, Authorization="Bearer vb-t")


def test_workers_are_counted_together_and_the_last_run_is_forgotten(
    tmp_path: Path, emulator: Emulator, key: str
) -> None:
    folder = tmp_path / "data" / "metrics"
    folder.mkdir(parents=True)
    (folder / "counter_1.db").write_bytes(b"of another run")
    health = 'http_requests_total{method="GET",route="/health",status="200"}'
    with ServerProcess(tmp_path, **vendor_settings(emulator, key=key), WORKERS="2") as server:
        url = server.started().url

        for _ in range(20):
            assert urllib3.request("GET", f"{url}/health").status == 200

        eventually(lambda: numbers(url).get(health) == 20)
        assert not (folder / "counter_1.db").exists() and len(list(folder.glob("counter_*.db"))) >= 1

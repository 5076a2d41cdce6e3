"""Scenario, journal and health: each key has its own."""

import hashlib
import json
import re
from pathlib import Path

import msgspec
import pytest
import requests

import emulator as emulator_package
from emulator.scenario import parse_scenario

CHAT = {"model": "qwen-plus", "messages": [{"role": "user", "content": "my secret words"}]}


def test_health_needs_no_key(emulator) -> None:
    assert requests.get(f"{emulator.url}/emulator/health", timeout=5).json()["status"] == "ok"


def test_a_scenario_is_posted_and_echoed_with_its_defaults(emulator, http) -> None:
    answer = http.post(f"{emulator.url}/emulator/scenario", json={"replies": ["Hello."]}, timeout=5)

    assert answer.status_code == 200 and answer.json()["replies"] == ["Hello."]
    assert answer.json()["latency"]["tts_delta_ms"] == 306


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"reply": ["x"]}, "reply"),
        ({"latency": {"asr": 5}}, "asr"),
        ({"faults": [{"stage": "chat", "kind": "explode"}]}, "explode"),
        ({"faults": [{"stage": "kitchen", "kind": "cut"}]}, "kitchen"),
        ({"replies": "x"}, "replies"),
    ],
)
def test_a_scenario_that_cannot_be_played_is_refused_by_name(emulator, http, body: dict, named: str) -> None:
    answer = http.post(f"{emulator.url}/emulator/scenario", json=body, timeout=5)

    assert answer.status_code == 400 and named in answer.json()["message"]
    with pytest.raises(msgspec.ValidationError, match=named):
        parse_scenario(body)


def test_delete_resets_the_scenario_and_the_journal(emulator, http, key, scenario) -> None:
    scenario(replies=["scripted"])
    http.delete(f"{emulator.url}/emulator/scenario", timeout=5)

    answer = http.post(f"{emulator.compatible_url}/chat/completions", json=CHAT, timeout=5).json()

    assert answer["choices"][0]["message"]["content"] != "scripted"
    assert len([entry for entry in emulator.journal(key) if entry["kind"] == "request"]) == 1


def test_the_journal_holds_what_arrived_and_never_the_key(emulator, http, key) -> None:
    http.post(f"{emulator.compatible_url}/chat/completions", json=CHAT, timeout=5)

    journal = http.get(f"{emulator.url}/emulator/journal", timeout=5).json()

    assert journal[0]["body"] == CHAT and journal[0]["endpoint"].endswith("/chat/completions")
    assert journal[0]["key"] == hashlib.sha256(key.encode()).hexdigest()[:8]
    assert key not in json.dumps(journal)


def test_the_journal_keeps_sounds_and_pictures_as_sizes(emulator, http, key) -> None:
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 5000}}
    body = {"model": "qwen3-vl-plus", "messages": [{"role": "user", "content": [part]}]}
    http.post(f"{emulator.compatible_url}/chat/completions", json=body, timeout=5)

    noted = json.dumps(emulator.journal(key))

    assert "AAAA" not in noted and "5022 chars, sha256" in noted


def test_each_key_reads_its_own_journal(emulator, http) -> None:
    http.post(f"{emulator.compatible_url}/chat/completions", json=CHAT, timeout=5)

    other = requests.get(f"{emulator.url}/emulator/journal", headers={"Authorization": "Bearer sk-nobody"}, timeout=5)

    assert other.json() == []


def test_the_scenario_of_the_readme_can_be_played() -> None:
    readme = (Path(emulator_package.__file__).parent / "README.md").read_text(encoding="utf-8")
    example = re.search(r"^ {4}(\{\"replies\".*?\}\})$", readme, re.DOTALL | re.MULTILINE)

    scenario = parse_scenario(example[1].encode())

    assert scenario.replies == ["Hello."] and scenario.faults[0].close_code == 1011

"""Chat completions as a use case, with a scripted vendor: which call is made, and what becomes of its end."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from protocol.errors import UpstreamBroken, UpstreamRefused
from protocol.keys import ApiKey
from protocol.openai.chat_request import read_call
from services.catalogue import Catalogue
from services.flow import CancelToken
from services.openai.chat import ChatCompletions
from services.ports import Cancel, RawAnswer, RawStream

KEY = ApiKey("sk-1")
CHUNK = b'{"id":"chatcmpl-1","choices":[{"delta":{"content":"hi"},"finish_reason":null,"index":0}]}'
LAST = b'{"id":"chatcmpl-1","choices":[{"delta":{},"finish_reason":"stop","index":0}]}'
WHOLE = b'{"id":"chatcmpl-1","choices":[{"message":{"content":"hi"},"finish_reason":"stop","index":0}]}'


class ScriptedVendor:
    """Answers what it was told to, and remembers what it was asked."""

    def __init__(self, *, whole: bytes | Exception = WHOLE, batches: list[list[bytes]] | None = None) -> None:
        self._whole, self._batches = whole, [[CHUNK], [LAST], [b"[DONE]"]] if batches is None else batches
        self.asked: list[dict[str, Any]] = []
        self.uses_uploads = False
        self.was_left_early = False

    def ask(
        self, body: bytes, *, uses_uploads: bool, key: ApiKey, cancel: Cancel, headers: Mapping[str, str]
    ) -> RawAnswer:
        self._note(body, uses_uploads, key)
        if isinstance(self._whole, Exception):
            raise self._whole
        return RawAnswer(body=self._whole, request_id="r-1")

    @contextlib.contextmanager
    def stream(
        self, body: bytes, *, uses_uploads: bool, key: ApiKey, cancel: Cancel, headers: Mapping[str, str]
    ) -> Iterator[RawStream]:
        self._note(body, uses_uploads, key)
        try:
            yield RawStream(request_id="r-1", batches=iter(self._batches))
        except GeneratorExit:
            self.was_left_early = True
            raise

    def _note(self, body: bytes, uses_uploads: bool, key: ApiKey) -> None:
        assert key == KEY
        self.asked.append(json.loads(body))
        self.uses_uploads = uses_uploads


class Desk:
    """The use case between two scripted vendors."""

    def __init__(self, compatible: ScriptedVendor, native: ScriptedVendor | None = None) -> None:
        self._chat = ChatCompletions(compatible, Catalogue(), native=native or ScriptedVendor())
        self.names: list[str] = []

    def answer(self, **fields: Any) -> dict[str, Any]:
        return json.loads(self._chat.answer(call(**fields), key=KEY, cancel=CancelToken(), named=self.names.append))

    def stream(self, **fields: Any) -> Iterator[bytes]:
        asked = call(stream=True, **fields)
        return self._chat.stream(asked, key=KEY, cancel=CancelToken(), named=self.names.append)


def call(**fields: Any) -> Any:
    messages = [{"role": "user", "content": "hello"}]
    return read_call(json.dumps({"model": "qwen-plus", "messages": messages} | fields).encode())


def test_the_vendors_name_for_a_call_is_known_before_its_first_event() -> None:
    desk = Desk(ScriptedVendor())
    events = desk.stream()

    first = next(events)

    assert desk.names == ["r-1"] and b'"content":"hi"' in first


def test_events_that_came_together_go_on_together() -> None:
    events = list(Desk(ScriptedVendor(batches=[[CHUNK, LAST], [b"[DONE]"]])).stream())

    assert [event.count(b"data: ") for event in events] == [2, 1]


def test_a_stream_that_is_closed_leaves_the_vendors_call() -> None:
    vendor = ScriptedVendor()
    events = Desk(vendor).stream()
    next(events)

    events.close()  # type: ignore[attr-defined]

    assert vendor.was_left_early


@pytest.mark.parametrize("batches", [[], [[CHUNK]]], ids=["nothing", "half"])
def test_an_answer_that_was_cut_off_is_never_taken_for_whole(batches: list[list[bytes]]) -> None:
    for ask in (lambda desk: desk.answer(model="qwen3-omni-flash"), lambda desk: list(desk.stream())):
        with pytest.raises(UpstreamBroken) as broken:
            ask(Desk(ScriptedVendor(batches=batches)))
        assert broken.value.code == "upstream_cut"


def test_a_model_that_turns_out_to_stream_only_is_asked_once_more() -> None:
    vendor = ScriptedVendor(whole=UpstreamRefused("This model only support stream mode"))

    answer = Desk(vendor).answer()

    assert answer["choices"][0]["message"]["content"] == "hi"
    assert [body.get("stream", False) for body in vendor.asked] == [False, True]


def test_any_other_refusal_is_final() -> None:
    vendor = ScriptedVendor(whole=UpstreamRefused("Range of n should be [1, 4]"))

    with pytest.raises(UpstreamRefused):
        Desk(vendor).answer()

    assert len(vendor.asked) == 1


def test_a_model_known_to_stream_only_is_asked_once() -> None:
    vendor = ScriptedVendor()

    answer = Desk(vendor).answer(model="qwen3-omni-flash")

    assert answer["choices"][0]["message"]["content"] == "hi" and len(vendor.asked) == 1
    assert vendor.asked[0]["stream_options"] == {"include_usage": True}


def test_models_of_the_vendors_own_api_are_asked_there() -> None:
    compatible, native = ScriptedVendor(), ScriptedVendor()

    Desk(compatible, native).answer(model="farui-plus")

    assert not compatible.asked and len(native.asked) == 1


def test_files_uploaded_to_the_vendor_are_announced() -> None:
    vendor = ScriptedVendor()
    picture = {"type": "image_url", "image_url": {"url": "oss://bucket/x.png"}}

    Desk(vendor).answer(messages=[{"role": "user", "content": [picture]}])

    assert vendor.uses_uploads

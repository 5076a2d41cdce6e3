"""Every fault of the vendor, shown to every provider: each ends in the one error that names it, none leaks the key."""

import traceback
from collections.abc import Callable

import pytest

from emulator import Emulator
from protocol.errors import (
    Cancelled,
    Unauthorized,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamError,
    UpstreamForbidden,
    UpstreamNotFound,
    UpstreamQuota,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnauthorized,
)
from protocol.keys import ApiKey
from services.flow import CancelToken
from test.providers.calls import CALLS, HTTP_CALLS, REALTIME_CALLS, WORDS, Background, Call, Vendor
from test.support.waiting import eventually

Scenario = Callable[..., None]

every_call = pytest.mark.parametrize(("stage", "call"), CALLS.items(), ids=CALLS.keys())
every_http_call = pytest.mark.parametrize(("stage", "call"), HTTP_CALLS.items(), ids=HTTP_CALLS.keys())
every_realtime_call = pytest.mark.parametrize(("stage", "call"), REALTIME_CALLS.items(), ids=REALTIME_CALLS.keys())
STREAMS = ["chat", "tts_http", "asr_realtime", "tts"]
every_stream = pytest.mark.parametrize(("stage", "call"), [(name, CALLS[name]) for name in STREAMS], ids=STREAMS)


@every_call
def test_without_a_fault_the_call_is_complete(
    stage: str, call: Call, vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    scenario(replies=[WORDS])

    assert call(vendor, api_key, cancel) == WORDS


REFUSALS = [
    (401, "", UpstreamUnauthorized, "InvalidApiKey"),
    (403, "", UpstreamForbidden, "AccessDenied"),
    (404, "", UpstreamNotFound, "ModelNotFound"),
    (400, "", UpstreamRefused, "InvalidParameter"),
    (429, "", UpstreamBusy, "Throttling.RateQuota"),
    (400, "Throttling.RateQuota", UpstreamBusy, "Throttling.RateQuota"),
    (400, "Arrearage", UpstreamQuota, "Arrearage"),
    (500, "", UpstreamBroken, "InternalError"),
    (503, "", UpstreamBusy, "ModelServingError"),
]
_COMPATIBLE = {
    "InvalidApiKey": "invalid_api_key",
    "AccessDenied": "access_denied",
    "ModelNotFound": "model_not_found",
    "InvalidParameter": "invalid_parameter_error",
    "Throttling.RateQuota": "limit_requests",
    "InternalError": "internal_error",
}


@every_call
@pytest.mark.parametrize(("status", "code", "kind", "vendor_code"), REFUSALS)
def test_a_refusal_is_renamed_and_keeps_the_vendors_code(
    stage: str, call: Call, vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario,
    status: int, code: str, kind: type[UpstreamError], vendor_code: str,
) -> None:  # fmt: skip
    scenario(faults=[{"stage": stage, "kind": "status", "status": status, "code": code}])

    with pytest.raises(UpstreamError) as caught:
        call(vendor, api_key, cancel)

    assert type(caught.value) is kind
    assert caught.value.vendor_code == (_COMPATIBLE.get(vendor_code, vendor_code) if stage == "chat" else vendor_code)
    assert caught.value.request_id
    assert_no_key(caught.value, api_key)


@every_call
@pytest.mark.parametrize("kind", ["cut", "reset"])
def test_a_line_that_always_breaks_is_an_error(
    stage: str, call: Call, kind: str, vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    scenario(faults=[{"stage": stage, "kind": kind, "times": 0}])

    with pytest.raises(UpstreamBroken) as caught:
        call(vendor, api_key, cancel)

    assert_no_key(caught.value, api_key)


@every_http_call
def test_a_line_that_breaks_once_before_the_answer_is_replaced(
    stage: str, call: Call, vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    scenario(replies=[WORDS], faults=[{"stage": stage, "kind": "cut", "times": 1}])

    assert call(vendor, api_key, cancel) == WORDS


@every_stream
@pytest.mark.parametrize("kind", ["cut", "reset"])
def test_a_stream_that_breaks_is_no_complete_answer(
    stage: str, call: Call, kind: str, vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    after = 0 if stage == "asr_realtime" else 2
    scenario(replies=[WORDS], faults=[{"stage": stage, "kind": kind, "after": after, "times": 0}])

    with pytest.raises(UpstreamBroken):
        call(vendor, api_key, cancel)


@pytest.mark.parametrize("stage", ["chat", "asr", "tts_http", "asr_realtime", "tts"])
def test_what_makes_no_sense_is_malformed(
    stage: str, vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    scenario(
        replies=[WORDS], faults=[{"stage": stage, "kind": "malformed", "after": int(stage in ("chat", "tts_http"))}]
    )

    with pytest.raises(UpstreamBroken) as caught:
        CALLS[stage](vendor, api_key, cancel)

    assert caught.value.code == "upstream_malformed"


@every_stream
def test_an_error_in_the_stream_is_raised(
    stage: str, call: Call, vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    fault = {
        "stage": stage,
        "kind": "error_event",
        "after": int(stage != "asr_realtime"),
        "code": "Throttling.RateQuota",
    }
    scenario(replies=[WORDS], faults=[fault])

    with pytest.raises(UpstreamBusy) as caught:
        call(vendor, api_key, cancel)

    assert_no_key(caught.value, api_key)


@every_call
def test_an_answer_that_does_not_begin_in_time_is_a_timeout(
    stage: str, call: Call, hasty_vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    scenario(replies=[WORDS], faults=[{"stage": stage, "kind": "delay", "delay_ms": 60_000}])

    with pytest.raises(UpstreamTimeout):
        call(hasty_vendor, api_key, cancel)


@every_stream
def test_a_stream_that_falls_silent_is_a_timeout(
    stage: str, call: Call, hasty_vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    after = 0 if stage == "asr_realtime" else 1
    scenario(replies=[WORDS], faults=[{"stage": stage, "kind": "stall", "after": after}])

    with pytest.raises(UpstreamTimeout):
        call(hasty_vendor, api_key, cancel)


@every_call
@pytest.mark.parametrize("after", [0, 2], ids=["before the answer", "in the answer"])
def test_a_stopped_call_ends_at_once(
    stage: str, call: Call, after: int, vendor: Vendor, api_key: ApiKey, cancel: CancelToken,
    scenario: Scenario, emulator: Emulator,
) -> None:  # fmt: skip
    scenario(replies=[WORDS], faults=[{"stage": stage, "kind": "stall", "after": after if stage in STREAMS else 0}])
    if stage == "asr_realtime":
        scenario(faults=[{"stage": stage, "kind": "stall"}])
    running = Background(lambda: call(vendor, api_key, cancel))
    eventually(lambda: any(entry["kind"] == "fault" for entry in emulator.journal(api_key.reveal())))

    cancel.cancel()

    assert isinstance(running.wait(), Cancelled)


@every_call
def test_a_call_of_a_turn_that_was_stopped_is_not_made(
    stage: str, call: Call, vendor: Vendor, api_key: ApiKey, cancel: CancelToken, emulator: Emulator
) -> None:
    cancel.cancel()

    with pytest.raises(Cancelled):
        call(vendor, api_key, cancel)

    assert emulator.journal(api_key.reveal()) == []


@every_realtime_call
@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (1007, "Model not found", UpstreamNotFound),
        (1007, "The free tier of the model has been exhausted.", UpstreamQuota),
        (1011, "Too many requests. Your requests are being throttled due to system capacity limits.", UpstreamBusy),
        (1011, "Internal service error: null", UpstreamBroken),
        (1000, "", UpstreamBroken),
    ],
)
def test_a_close_code_is_renamed(
    stage: str, call: Call, vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario,
    code: int, reason: str, kind: type[UpstreamError],
) -> None:  # fmt: skip
    scenario(faults=[{"stage": stage, "kind": "close", "close_code": code, "reason": reason}])

    with pytest.raises(kind) as caught:
        call(vendor, api_key, cancel)

    assert type(caught.value) is kind


@every_call
@pytest.mark.parametrize("secret", ["sk-a b", "sk-line\nbreak", "sk-密钥", "sk-\r\nX-Other: 1"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_quoted(
    stage: str, call: Call, secret: str, vendor: Vendor, cancel: CancelToken
) -> None:
    with pytest.raises(Unauthorized) as caught:
        call(vendor, ApiKey(secret), cancel)

    assert_no_key(caught.value, ApiKey(secret))


def assert_no_key(error: Exception, key: ApiKey) -> None:
    """The key stands neither in the error nor in what led to it, however they are shown."""
    shown = "".join(traceback.format_exception(error))
    cause: BaseException | None = error
    while cause is not None:
        shown += str(cause) + repr(cause) + repr(getattr(cause, "__dict__", ""))
        cause = cause.__cause__ or cause.__context__
    assert key.reveal() not in shown
    assert "Bearer" not in shown

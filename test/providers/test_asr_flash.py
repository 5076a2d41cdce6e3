"""A whole recording, recognised in one call."""

from collections.abc import Callable

import pytest

from emulator import Emulator
from protocol.errors import TooLarge, UpstreamBroken
from protocol.keys import ApiKey
from protocol.media import WAV
from services.flow import CancelToken
from services.ports import ANYTHING, Heard, HearingOptions, Recording, Transcript
from test.providers.calls import WORDS, Vendor, recording


@pytest.mark.parametrize(("text", "language"), [(WORDS, "zh"), ("Hello there.", "en")])
def test_what_was_said_is_heard(text: str, language: str, vendor: Vendor, api_key: ApiKey, cancel: CancelToken) -> None:
    heard = vendor.flash().transcribe(recording(text), key=api_key, cancel=cancel)

    assert heard == Transcript(text=text, language=language)


def test_silence_is_an_empty_transcript(vendor: Vendor, api_key: ApiKey, cancel: CancelToken) -> None:
    assert vendor.flash().transcribe(recording(""), key=api_key, cancel=cancel).text == ""


def test_an_error_that_only_says_silence_is_an_empty_transcript(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Callable[..., None]
) -> None:
    fault = {
        "stage": "asr",
        "kind": "status",
        "status": 400,
        "code": "CLIENT_ERROR",
        "message": "ASR_RESPONSE_HAVE_NO_WORDS",
    }
    scenario(faults=[fault])

    assert vendor.flash().transcribe(recording(), key=api_key, cancel=cancel) == Transcript(text="")


def test_a_recording_beyond_the_vendors_limit_is_refused_before_it_is_sent(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, emulator: Emulator
) -> None:
    huge = Recording(data=bytes(7_900_000), container=WAV, url="")

    with pytest.raises(TooLarge):
        vendor.flash().transcribe(huge, key=api_key, cancel=cancel)

    assert emulator.journal(api_key.reveal()) == []


# --- pieces, as they are found


def hear(vendor: Vendor, key: ApiKey, cancel: CancelToken, *, text: str = WORDS, **options: object) -> list[Heard]:
    wish = HearingOptions(**options)  # type: ignore[arg-type]
    return list(vendor.flash().hear(recording(text), options=wish, key=key, cancel=cancel))


def test_pieces_together_are_the_text(vendor: Vendor, api_key: ApiKey, cancel: CancelToken) -> None:
    heard = hear(vendor, api_key, cancel, text=WORDS * 3)

    assert len(heard) > 2
    assert "".join(piece.text for piece in heard) == WORDS * 3
    assert {piece.language for piece in heard} == {"zh"}
    assert all(piece.request_id for piece in heard)


def test_a_language_is_told_only_when_there_is_one(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, emulator: Emulator
) -> None:
    for languages in ((), ("en",), ("en", "zh")):
        hear(vendor, api_key, cancel, languages=languages)

    asked = [
        e["body"]["parameters"]["asr_options"] for e in emulator.journal(api_key.reveal()) if e["kind"] == "request"
    ]
    assert [options.get("language") for options in asked] == [None, "en", None]


@pytest.mark.parametrize("code", ["CLIENT_ERROR", "ASR_RESPONSE_HAVE_NO_WORDS"])
def test_a_stream_that_only_says_silence_has_no_text(
    code: str, vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Callable[..., None]
) -> None:
    scenario(faults=[{"stage": "asr", "kind": "error_event", "code": code, "message": "ASR_RESPONSE_HAVE_NO_WORDS"}])

    assert "".join(piece.text for piece in hear(vendor, api_key, cancel)) == ""


@pytest.mark.parametrize("kind", ["cut", "error_event", "malformed"])
def test_a_stream_that_breaks_is_an_error_after_what_was_heard(
    kind: str, vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Callable[..., None]
) -> None:
    scenario(faults=[{"stage": "asr", "kind": kind, "after": 1, "code": "InternalError"}])
    heard: list[Heard] = []

    with pytest.raises(UpstreamBroken):
        heard.extend(vendor.flash().hear(recording(), options=ANYTHING, key=api_key, cancel=cancel))

    assert "".join(piece.text for piece in heard) in WORDS

"""A whole recording, recognised in one call."""

from collections.abc import Callable

import pytest

from emulator import Emulator
from protocol.errors import TooLarge
from protocol.keys import ApiKey
from protocol.media import WAV
from services.flow import CancelToken
from services.ports import Recording, Transcript
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

"""What a transcription task asks for, checked.

Source: DashScope HTTP reference §4.3 and §4.4.  The words about wrong types are the emulator's own.
"""

from __future__ import annotations

from typing import Any, Final

from emulator.asr import check_language
from emulator.errors import ApiError
from emulator.models import Model

_SWITCHES: Final = (
    "diarization_enabled",
    "disfluency_removal_enabled",
    "enable_itn",
    "enable_words",
    "timestamp_alignment_enabled",
)
_PARAFORMER_LANGUAGES: Final = frozenset("zh en ja yue ko de fr ru".split())
_MOST_FILES: Final = 100


def urls_of(model: Model, inputs: Any) -> list[str]:
    """Return where the recordings lie.  Raises: ApiError with the service's message."""
    inputs = inputs if isinstance(inputs, dict) else {}
    if "filetrans" in model.name:
        url = inputs.get("file_url")
        if not isinstance(url, str) or not url:
            raise ApiError("input must contain file_url")
        return [url]
    urls = inputs.get("file_urls")
    if not isinstance(urls, list):
        raise ApiError("input must contain file_urls")
    if not urls:
        raise ApiError("[] is too short")
    if len(urls) > _MOST_FILES:
        raise ApiError(f"The number of file_urls should be in [1, {_MOST_FILES}]")
    return [str(url) for url in urls]


def checked_parameters(model: Model, parameters: Any) -> dict[str, Any]:
    """Return the parameters if the service would take them.  Raises: ApiError naming the wrong one."""
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise ApiError("Required body invalid, please check the request body format.")
    for name in _SWITCHES:
        if not isinstance(parameters.get(name, False), bool):
            raise ApiError(f"Input should be a valid boolean: parameters.{name}")
    check_language(parameters.get("language"), "parameters.language")
    _check_hints(model, parameters.get("language_hints"))
    _check_channels(parameters.get("channel_id"))
    _check_count(parameters.get("speaker_count"))
    return parameters


def _check_hints(model: Model, hints: Any) -> None:
    if hints is None:
        return
    if not isinstance(hints, list) or not all(isinstance(hint, str) and hint for hint in hints):
        raise ApiError("Input should be a valid list: parameters.language_hints")
    if "paraformer" in model.name and not _PARAFORMER_LANGUAGES.issuperset(hints):
        raise ApiError(f"Input should be one of {sorted(_PARAFORMER_LANGUAGES)}: parameters.language_hints")


def _check_channels(channels: Any) -> None:
    if channels is None:
        return
    if not isinstance(channels, list) or not all(type(number) is int and number >= 0 for number in channels):
        raise ApiError("Input should be a valid list: parameters.channel_id")


def _check_count(count: Any) -> None:
    if count is not None and (type(count) is not int or not 2 <= count <= 100):
        raise ApiError("Range of speaker_count should be [2, 100]")

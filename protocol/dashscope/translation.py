"""Translations by the vendor's chat completions: of speech, and of text.

Source: the vendor's pages of Qwen-MT (`translation_options`, one user message) and of audio and video translation.
"""

import msgspec

from protocol.dashscope.chat import ChunkUsage
from protocol.dashscope.failures import malformed, read_failure, renamed
from protocol.openai.languages import name_of
from protocol.translation import Wording

_NAMES = {"fil": "Tagalog", "no": "Norwegian Bokmål"}


def speech_body(*, model: str, sound: str, kind: str, target: str, source: str) -> dict[str, object]:
    """Return the body that translates a recording: `sound` is its address or data URI, `kind` its container or ""."""
    audio = {"data": sound} | ({"format": kind} if kind else {})
    languages = {"target_lang": target} | ({"source_lang": source} if source else {})
    return {
        "model": model,
        "messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": audio}]}],
        "modalities": ["text"],
        "translation_options": languages,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def text_body(text: str, *, model: str, wording: Wording) -> dict[str, object]:
    """Return the body that translates a text."""
    options: dict[str, object] = {
        "source_lang": _named(wording.source) if wording.source else "auto",
        "target_lang": _named(wording.target),
    }
    if wording.terms:
        options["terms"] = [{"source": term.source, "target": term.target} for term in wording.terms]
    if wording.domain:
        options["domains"] = wording.domain
    return {"model": model, "messages": [{"role": "user", "content": text}], "translation_options": options}


def _named(code: str) -> str:
    return _NAMES.get(code) or name_of(code).capitalize()


class AnswerMessage(msgspec.Struct, frozen=True):
    content: str | None = None


class AnswerChoice(msgspec.Struct, frozen=True):
    message: AnswerMessage = AnswerMessage()


class AnswerBody(msgspec.Struct, frozen=True):
    """A whole chat completion. An error may come with status 200."""

    choices: list[AnswerChoice] = []
    usage: ChunkUsage | None = None
    error: object = None
    code: object = None


_decoder = msgspec.json.Decoder(AnswerBody)


def read_translation(body: bytes) -> str:
    """Return the translated text. Raises: UpstreamBroken (senseless), or the error that the answer reports."""
    try:
        answer = _decoder.decode(body)
    except ValueError as error:  # the library's errors are ValueErrors, and so is bad UTF-8
        raise malformed("翻译服务的回复无法解析，请重试。") from error
    if answer.error is not None or (answer.code and not answer.choices):
        raise renamed(read_failure(status=502, body=body))
    if not answer.choices:
        raise malformed("翻译服务的回复无法解析，请重试。")
    return answer.choices[0].message.content or ""

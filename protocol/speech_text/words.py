"""What a letter can begin: addresses, names with signs in them, abbreviations, versions, plain words."""

import re
from typing import Final

from protocol.speech_text.faces import EMOTICON_WORDS
from protocol.speech_text.tongues import Tongue

LETTERS: Final = (
    "A-Za-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u0373\u0376-\u052f\u1e00-\u1fff"
)
"""Letters that may hold a domain, a name or a version (Latin, Greek, Cyrillic), for use in brackets."""

_TLD: Final = (
    "com|cn|org|net|io|ai|dev|gov|edu|co|app|info|me|tv|uk|jp|de|fr|ru|us|eu|xyz|top|vip|cc|hk|tw|sg|kr|in|test|local"
)
_TAIL: Final = r"[.,;:!?'’]+$"

PLAIN: Final = re.compile(rf"[{LETTERS}][{LETTERS}0-9]*(?:[-_][{LETTERS}0-9]+|['’][{LETTERS}]+)*")
_URL: Final = re.compile(
    r"(?:https?|ftps?|wss?|file|oss|s3|git|ssh)://(?:[^\s/@]*@)?([^\s/?#:]*)(:\d+)?\S*|(www\.[^\s/?#:]+)\S*",
    re.IGNORECASE,
)
_MAIL: Final = re.compile(r"(?:mailto:)?([A-Za-z0-9][\w.+-]*)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
_SIGNED: Final = re.compile(r"(?:[A-Za-z]*[A-Za-z]\+\+|[CFJ]#|[A-Z]{1,3}&[A-Z]{1,3})(?![A-Za-z0-9])")
_INITIALS: Final = re.compile(r"(?:[A-Za-z]\.){2,}")
_TITLE: Final = re.compile(r"(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|Inc|Ltd|Co|Corp|approx|Fig|al)\.(?![A-Za-z0-9])")
_NAME_VERSION: Final = re.compile(r"([A-Za-z]{2,16})-?(\d+(?:\.\d+)+)(?![A-Za-z0-9_]|[.-]\w)")
_VERSION: Final = re.compile(r"([vV])(\d+(?:\.\d+)+)(?![\d.]*[A-Za-z])")
_KEPT_DOTS: Final = re.compile(r"(?:ASP\.NET|[A-Za-z]+\.js|[A-Z]+\.[A-Z]+)(?!\.?[A-Za-z0-9])")
_NUMBER_SIGN: Final = re.compile(r"No\.(?=\d)")
_DOMAIN: Final = re.compile(
    rf"((?:[A-Za-z0-9-]+\.)+(?:{_TLD}))(?![A-Za-z0-9_.-]*[A-Za-z0-9])((?::\d+)?/[^\s]*)?", re.IGNORECASE
)
_HOST_PATH: Final = re.compile(rf"((?:[A-Za-z0-9-]+\.)+(?:{_TLD}))(?::\d+)?/[^\s]*", re.IGNORECASE)
_DOTTED: Final = re.compile(r"[A-Za-z_][\w-]*(?:\.[a-z0-9_][\w-]*)+")
_ROMAN: Final = re.compile(r"(?:II|III|IV|VI|VII|VIII|IX|XI|XII|XIII|XIV|XV|XVI|XVII|XVIII|XIX|XX|XXI)(?![A-Za-z0-9])")
_BEFORE_ROMAN: Final = re.compile(
    r"(?:第|Chapter |Part |Volume |Vol\. |Section |Book |Act |War |Type |Phase |Stage |Level |Class |Article |Grade |"
    r"Louis |Henry |Charles |George |Elizabeth |Napoleon |Pius |Paul |Richard |Edward |James |William |"
    r"路易|亨利|查理|查尔斯|乔治|伊丽莎白|拿破仑|第 )\Z"
)
_ROMAN_VALUES: Final = {"I": 1, "V": 5, "X": 10}
_IP: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


def read_word(text: str, at: int, *, end: int, tongue: Tongue, before: str) -> tuple[int, str]:
    """Return (where the word ends, how it is said) for the letter at `at`; the region ends at `end`."""
    for read in (_url, _mail, _number_sign, _sign_name, _roman, _version, _host, _dots, _plain):
        found = read(text, at, end, tongue, before)
        if found is not None:
            return found
    return at + 1, text[at]


_Found = tuple[int, str] | None


def _url(text: str, at: int, end: int, tongue: Tongue, _: str) -> _Found:
    m = _URL.match(text, at, end)
    if m is None:
        return None
    stop = at + len(re.sub(_TAIL, "", m[0]))
    host = re.sub(_TAIL, "", (m[1] or m[3] or "").strip())
    return stop, say_host(host, tongue)


def say_host(host: str, tongue: Tongue) -> str:
    """Read a host name as its words, `www.` left out."""
    host = re.sub(r"^www\.", "", host, flags=re.IGNORECASE)
    if _IP.fullmatch(host):
        return tongue.dotted(host.split("."), by_digit=True)
    return _say_parts(re.split(r"[^\w-]+", host), tongue) or ("链接", "link")[tongue.index]


def _mail(text: str, at: int, end: int, tongue: Tongue, _: str) -> _Found:
    m = _MAIL.match(text, at, end)
    if m is None:
        return None
    return m.end(), say_host(m[1].replace("_", "-"), tongue) + tongue.at + say_host(m[2], tongue)


def _number_sign(text: str, at: int, end: int, tongue: Tongue, _: str) -> _Found:
    m = _NUMBER_SIGN.match(text, at, end)
    return None if m is None else (m.end(), ("第", "number ")[tongue.index])


def _sign_name(text: str, at: int, end: int, _: Tongue, __: str) -> _Found:
    for pattern in (_SIGNED, _INITIALS, _TITLE, _KEPT_DOTS):
        m = pattern.match(text, at, end)
        if m is not None:
            return m.end(), m[0]
    return None


def _roman(text: str, at: int, end: int, tongue: Tongue, before: str) -> _Found:
    m = _ROMAN.match(text, at, end)
    if m is None or not _BEFORE_ROMAN.search(before):
        return None
    return m.end(), tongue.number(str(_roman_value(m[0])))


def _roman_value(numeral: str) -> int:
    values = [_ROMAN_VALUES[char] for char in numeral]
    return sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True))


def _version(text: str, at: int, end: int, tongue: Tongue, _: str) -> _Found:
    m = _VERSION.match(text, at, end) or _NAME_VERSION.match(text, at, end)
    if m is None:
        return None
    space = " " if tongue.index else ""
    is_decimal = m[2].count(".") == 1
    return m.end(), m[1] + space + (
        tongue.number(m[2]) if is_decimal else tongue.dotted(m[2].split("."), by_digit=False)
    )


def _host(text: str, at: int, end: int, tongue: Tongue, _: str) -> _Found:
    m = _HOST_PATH.match(text, at, end) or _DOMAIN.match(text, at, end)
    if m is None:
        return None
    return at + len(re.sub(_TAIL, "", m[0])), say_host(m[1], tongue)


def _dots(text: str, at: int, end: int, tongue: Tongue, _: str) -> _Found:
    """Read the dots inside main.py or app.config.port; a capital after a dot is a new sentence."""
    m = _DOTTED.match(text, at, end)
    if m is None:
        return None
    return m.end(), _say_parts(m[0].split("."), tongue)


def _say_parts(parts: list[str], tongue: Tongue) -> str:
    """Join the parts of a dotted name; a part of digits alone is a number, hyphens at an end are dropped."""
    bare = [re.sub(r"([-_])[-_]+", r"\1", part).strip("-_") for part in parts]
    return tongue.dot.join(tongue.number(part) if part.isdecimal() else part for part in bare if part)


def _plain(text: str, at: int, end: int, _: Tongue, __: str) -> _Found:
    m = PLAIN.match(text, at, end)
    if m is None:
        return None
    return m.end(), "" if m[0] in EMOTICON_WORDS else m[0]

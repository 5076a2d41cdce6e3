"""What a sign between two neighbours is called, as data, and the few signs that need a rule of their own.

Shape: `left` is the text before, `right` the first character after the sign that is no space, with the spaces
before it ("" when there is none). An answer "" means that the sign has nothing to say there.
"""

import re
from collections.abc import Callable
from typing import Final

from protocol.speech_text.characters import HAN
from protocol.speech_text.tongues import Tongue
from protocol.speech_text.units import PER, PER_LEFT

SIGNS: Final = "°℃℉‰×÷±≤≥≠≈√∞→↑↓↔—·$€£¥₩₹"
"""The signs beyond ASCII that have a name."""
_TERM_LEFT: Final = re.compile(r"(?:[0-9)）%°℃]|(?:^|[^A-Za-z0-9])[A-Za-zα-ωΑ-Ω]) ?\Z")
_TERM_RIGHT: Final = re.compile(r"[0-9A-Za-z(（√α-ωΑ-Ω.\-+]")
_SIZE_LEFT: Final = re.compile(r"[0-9A-Za-z)）%°℃米寸α-ωΑ-Ω] ?\Z")
_RANGE_LEFT: Final = re.compile(r"[0-9%℃°日月年时分点号] ?\Z")
_VALUE_LEFT: Final = re.compile(r"(?:\^[0-9]+|[^A-Za-z][A-Za-z]|\)) \Z")
_ANY_LEFT: Final = re.compile(rf"[0-9A-Za-z)）%°℃{HAN}α-ωΑ-Ω\"'”] ?\Z")
_ANY_RIGHT: Final = re.compile(rf"[0-9A-Za-z(（√{HAN}α-ωΑ-Ω.\-+\"'“$¥€£]")
_HAN_LEFT: Final = re.compile(rf"[{HAN}] ?\Z")
_CODE_LEFT: Final = re.compile(r"[0-9A-Za-z_)\"'] ?\Z")
_CODE_RIGHT: Final = re.compile(r"[0-9A-Za-z_(\"'\-]")
_HAN: Final = re.compile(f"[{HAN}]")

# sign: (Chinese, English, what it needs).  "term": numbers or one-letter names on both sides; "sizes": the same with
# units; "any": words on both sides; "right": something to the right; "compare": that, but not the edge of a tag;
# "code": ASCII on both sides; "always".
_NAMES: Final = {
    "*": ("乘以", "times", "term"),
    "×": ("乘以", "times", "sizes"),
    "÷": ("除以", "divided by", "term"),
    "+": ("加", "plus", "any"),
    "=": ("等于", "equals", "any"),
    "==": ("等于", "equals", "code"),
    "===": ("等于", "equals", "code"),
    "!=": ("不等于", "is not equal to", "any"),
    "≠": ("不等于", "is not equal to", "any"),
    "<": ("小于", "is less than", "compare"),
    ">": ("大于", "is greater than", "compare"),
    "<=": ("小于等于", "is at most", "right"),
    ">=": ("大于等于", "is at least", "right"),
    "≤": ("小于等于", "is at most", "right"),
    "≥": ("大于等于", "is at least", "right"),
    "≈": ("约等于", "is approximately", "right"),
    "±": ("正负", "plus or minus", "right"),
    "√": ("根号", "the square root of", "right"),
    "∞": ("无穷大", "infinity", "always"),
    "→": ("到", "to", "any"),
    "->": ("到", "to", "any"),
    "-->": ("到", "to", "any"),
    "=>": ("到", "to", "any"),
    "==>": ("到", "to", "any"),
    "↑": ("上升", "up", "always"),
    "↓": ("下降", "down", "always"),
    "&": ("和", "and", "any"),
    "&&": ("并且", "and", "any"),
    "||": ("或者", "or", "any"),
}
_LONGEST: Final = max(map(len, _NAMES))
_DEGREE_WORDS: Final = {"2": ("的平方", "squared"), "3": ("的立方", "cubed")}


def read_symbol(run: str, left: str, right: str, tongue: Tongue) -> tuple[int, str]:
    """Return (how many characters of `run` are read, what is said for them)."""
    for size in range(min(_LONGEST, len(run)), 0, -1):
        sign = run[:size]
        if sign in _NAMES and (size > 1 or not run.startswith(sign * 2) or sign in "√↑↓"):
            return size, _named(sign, left, right if size == len(run) else run[size], tongue)
    same = len(run) - len(run.lstrip(run[0]))
    rule = _RULES.get(run[0])
    return same, rule(left, right if same == len(run) else run[same], tongue) if rule is not None and same <= 2 else ""


def _named(sign: str, left: str, right: str, tongue: Tongue) -> str:
    name, needs = _NAMES[sign][tongue.index], _NAMES[sign][2]
    is_tight, right = right[:1] != " ", right.lstrip(" ")
    has_left, has_right = bool(_ANY_LEFT.search(left)), bool(_ANY_RIGHT.match(right))
    if sign == "+" and not has_right:
        fits = bool(re.search(r"[0-9A-Za-z]$", left))
    elif needs == "term":
        fits = bool(_TERM_LEFT.search(left) and _TERM_RIGHT.match(right))
    elif needs == "sizes":
        fits = bool(_SIZE_LEFT.search(left) and _TERM_RIGHT.match(right))
    elif needs == "any":
        fits = has_left and has_right
    elif needs == "compare":
        is_bracket = is_tight and (bool(_HAN.match(right)) or left[-1:] in tuple("\"'/"))
        fits = has_right and not is_bracket
    elif needs == "code":
        fits = bool(_CODE_LEFT.search(left) and _CODE_RIGHT.match(right))
    else:
        fits = needs == "always" or has_right
    return _spaced(name, tongue) if fits else ""


def _spaced(word: str, tongue: Tongue) -> str:
    return f" {word} " if tongue.index else word


def _dash(left: str, right: str, tongue: Tongue) -> str:
    """`to` between two numbers, a pause between two words set apart."""
    is_apart, right = left[-1:] == " " and right[:1] == " ", right.lstrip(" ")
    if is_apart and _VALUE_LEFT.search(left) and _TERM_RIGHT.match(right):
        return _spaced(("减", "minus")[tongue.index], tongue)
    if (_RANGE_LEFT.search(left) or re.search(r"[A-Za-z] ?\Z", left)) and right.isdigit():
        return tongue.to
    return tongue.pause if is_apart and _ANY_LEFT.search(left) and _ANY_RIGHT.match(right) else ""


def _long_dash(left: str, right: str, tongue: Tongue) -> str:
    right = right.lstrip(" ")
    if _RANGE_LEFT.search(left) and right.isdigit():
        return tongue.to
    return tongue.pause if _ANY_LEFT.search(left) or left[-1:] in "”」』）" else ""


def _wave(left: str, right: str, tongue: Tongue) -> str:
    right = right.lstrip(" ")
    if re.search(rf"[0-9%℃°A-Za-z{HAN}] ?\Z", left) and right.isdigit():
        is_range = re.search(r"[0-9%℃°日月年时分点A-Za-z] ?\Z", left)
        return tongue.to if is_range else tongue.about
    return tongue.about if right.isdigit() or right in tuple("¥$€£") else ""


def _slash(left: str, right: str, tongue: Tongue) -> str:
    """每 after a Chinese unit, a light pause between Chinese words, else a space."""
    if left.endswith(") ") and _TERM_RIGHT.match(right.lstrip(" ")):
        return _spaced(("除以", "divided by")[tongue.index], tongue)
    right = right.lstrip(" ")
    if _HAN_LEFT.search(left) and _HAN.match(right):
        return "每" if left.rstrip()[-1] in PER_LEFT and right in PER else "、"
    return " "


def _hash(_: str, right: str, tongue: Tongue) -> str:
    return " number " if tongue.index and right.isdigit() else " "


def _pipe(left: str, right: str, tongue: Tongue) -> str:
    right = right.lstrip(" ")
    return tongue.pause if right not in ("", "\n") else ""


def _space(_: str, __: str, ___: Tongue) -> str:
    return " "


def _dot_between(left: str, right: str, _: Tongue) -> str:
    """Keep the point inside a foreign name (卡尔·马克思)."""
    return "·" if re.search(rf"[A-Za-z{HAN}]$", left) and re.match(rf"[A-Za-z{HAN}]", right) else " "


def _caret(left: str, _: str, __: Tongue) -> str:
    return " " if left[-1:].isalnum() else ""


_RULES: Final[dict[str, Callable[[str, str, Tongue], str]]] = {
    "-": _dash,
    "—": _long_dash,
    "~": _wave,
    "/": _slash,
    "#": _hash,
    "|": _pipe,
    "↔": lambda left, right, tongue: tongue.pause if left and right else "",
    "\\": _space,
    "_": _space,
    "@": _space,
    "·": _dot_between,
    "^": _caret,
    "°": lambda left, _, tongue: _spaced(tongue.degree, tongue) if left[-1:].isalnum() else "",
    "%": lambda left, _, tongue: "",
}

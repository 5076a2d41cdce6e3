"""Fold every Unicode character into the small alphabet that the later stages know; what has no spoken value disappears.

One character in, a short string out, with no context: this stage can never depend on how the text was cut.
`INVISIBLE` goes first (before markdown is looked for), `FOLD` after the markdown is gone.
"""

import re
import unicodedata
from typing import Final

# Private marks that one stage writes for a later one; the same characters in a model's text are dropped by INVISIBLE.
CODE_MARK: Final = "\ue000"
"""Here a block of code was left out."""
FORMULA_MARK: Final = "\ue001"
"""Here stands the next formula of the queue that `Markup` fills and `Reader` empties."""
GLUE_BEFORE: Final = "\ue002"
GLUE_AFTER: Final = "\ue003"
"""Edges of a reading in Chinese: the model's space between it and a Chinese character is not wanted any more."""
WORD_EDGE: Final = "\ue004"
"""Edge of a reading in English: a letter that touches it gets a space."""
NAME_DOT: Final = "\ue005"
"""The dot that begins a name (.NET): part of a word, not a stop."""

INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ue000-\uf8ff\ud800-\udfff\u20d0-\u20ff\U000e0000-\U0010ffff]+"
)

HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005\u3007\U00020000-\U0003ffff"
"""Chinese characters, for use inside a regular expression's brackets."""

PAUSES: Final = "，、；：,;:"
STOPS: Final = "。！？…!?."
OPENERS: Final = "（(《「『“‘【"
CLOSERS: Final = "）)》」』”’】"
OPERATORS: Final = "+-*/=<>%^~#&@|\\_°℃℉‰×÷±≤≥≠≈√∞→↑↓↔—·$€£¥₩₹"
"""Symbols that the reader names where they stand between the right neighbours, and drops elsewhere."""

_KEPT: Final = frozenset(PAUSES + STOPS + OPENERS + CLOSERS + OPERATORS + CODE_MARK + FORMULA_MARK + "\"' \n")

_GROUPS: Final = {
    "→": "⇒➔➙➛➜➝➞➟➠➡➢➣➤➥➦➨➩➪➫➬➭➮➯➱➲➳➵➸➺➻➼➽➾⟶⟹⇨⇢⭢⮕",
    "↑": "⬆⇑⇧🔼",
    "↓": "⬇⇓⇩🔽",
    "↔": "←⬅⇐⟵⟸⇔⇄⇆⟷⟺",
    "-": "‐‑‒−﹣",
    "—": "–―⸺⸻﹘",
    "~": "∼〜～",
    "“": "«„‟〝❝",
    "”": "»〞❞",
    "‘": "‹‚‛❛",
    "’": "›❜ʼ",
    "《": "〈⟨",
    "》": "〉⟩",
    "·": "‧・･∙⋅",
    "≤": "≦⩽",
    "≥": "≧⩾",
    "≈": "≃≅",
    "×": "✕✖⨯",
    "¥": "￥",
    "。": "｡",
    "、": "､",
    "「": "｢",
    "」": "｣",
    "…": "⋯",
}
_TABLE: Final = {
    "\t": " ",
    "\x0b": "\n",
    "\u2028": "\n",
    "\u2029": "\n",
    "™": "",
    "℠": "",
    "㊗": "",
    "㊙": "",
    "Ⓜ": "",
    "ℹ": "",
    "–": "—",
    "‖": " ",
    "∥": " ",
    "½": " 1/2",
    "⅓": " 1/3",
    "⅔": " 2/3",
    "¼": " 1/4",
    "¾": " 3/4",
    "{": " ",
    "}": " ",
    "[": " ",
    "]": " ",
    "¢": "",
} | {source: target for target, sources in _GROUPS.items() for source in sources}

_SUPERSCRIPTS: Final = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_EMOJI_PLANE: Final = 0x1F000


class _Fold(dict[int, str]):
    """A `str.translate` table that works each character out once, on first sight."""

    def __missing__(self, code: int) -> str:
        folded = _fold(chr(code))
        self[code] = folded
        return folded


def _fold(char: str) -> str:
    """Return what the later stages see of `char`."""
    if char in _TABLE:
        return _TABLE[char]
    if char in _KEPT:
        return char
    if char in _SUPERSCRIPTS:
        return "^" + str(_SUPERSCRIPTS.index(char))
    if ord(char) >= _EMOJI_PLANE and unicodedata.category(char)[0] != "L":
        return ""
    return _FOLD_BY_CATEGORY.get(unicodedata.category(char)[0], _drop)(char)


def _fold_letter(char: str) -> str:
    """Keep a letter; a styled or wide form (𝐀, Ａ, ﬁ) becomes the plain one."""
    styled = unicodedata.decomposition(char).startswith(("<font>", "<wide>", "<narrow>", "<super>", "<sub>"))
    return _plain_or_nothing(char) if styled else char


def _fold_number(char: str) -> str:
    """Turn any digit or numeric sign (４, ①, Ⅳ) into ASCII digits."""
    value = unicodedata.numeric(char)
    return str(int(value)) if value == int(value) and value >= 0 else ""


def _fold_mark(char: str) -> str:
    return "" if unicodedata.category(char) == "Me" else char


def _fold_separator(_: str) -> str:
    return " "


def _plain_or_nothing(char: str) -> str:
    """Use the compatibility form when it is made of speakable characters alone (㎡ → m2, ％ → %, ♥ → nothing)."""
    plain = unicodedata.normalize("NFKC", char)
    if plain == char:
        return ""
    return plain if all(c in _KEPT or c.isalnum() for c in plain) else ""


def _drop(_: str) -> str:
    return ""


_FOLD_BY_CATEGORY: Final = {
    "L": _fold_letter,
    "M": _fold_mark,
    "N": _fold_number,
    "Z": _fold_separator,
    "P": _plain_or_nothing,
    "S": _plain_or_nothing,
}

FOLD: Final = _Fold()

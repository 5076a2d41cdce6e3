"""Stage 2: say numbers, units, dates, addresses and symbols in words.

How it works.  At each place the first character picks the kind of lexeme.  Characters that stand for themselves (Chinese, kana, punctuation) go
through at once; a word, a quantity or a symbol is first given its *region*, a match of bounded length that grows with the text.  Only when the
region is closed (a character outside it has come, or the answer has ended) is the lexeme read, and never with a look past the region.
Every region pattern is a chain of optional greedy parts without look-around: cut anywhere, its beginning matches too, so "closed" means closed.

Which language?  Chinese when a Chinese character touches the quantity; else what the 64 characters before it are mostly written in (Chinese
characters against English words of two letters or more, addresses not counted); when they hold neither, what the 32 characters from here hold; else Chinese.
"""

import re
from collections import deque
from typing import Final

from protocol.speech_text.characters import CODE_MARK, FORMULA_MARK, GLUE_AFTER, GLUE_BEFORE, HAN, NAME_DOT, WORD_EDGE
from protocol.speech_text.faces import EMOTICON, EMOTICON_REGION
from protocol.speech_text.formulas import read_formula
from protocol.speech_text.quantities import PATTERN_NAME, read_quantity
from protocol.speech_text.symbols import read_symbol
from protocol.speech_text.tongues import CHINESE, ENGLISH, Tongue
from protocol.speech_text.words import LETTERS, PLAIN, read_word

WINDOW_CHARS: Final = 64
AHEAD_CHARS: Final = 32
WORD_CHARS: Final = 256
WAIT: Final = -1

_SIGNS: Final = "°℃℉‰×÷±≤≥≠≈√∞→↑↓↔—·$€£¥₩₹"
_FREE: Final = re.compile(
    rf"(?:[^\x00-\x7f{LETTERS}{_SIGNS}{CODE_MARK}{FORMULA_MARK}]|[,;\"'\n?) ]"
    rf"|(?<![{LETTERS}0-9])[A-Za-z][a-z]*(?=[ ,;?)\"\n\u3001-\u9fff\uff00-\uff1f]))+"
)
"""What stands for itself: other scripts, punctuation, spaces, and plain words that are over."""
_LOWER: Final = "\u00df-\u00f6\u00f8-\u00ff\u03b1-\u03c9\u0430-\u045f"
_WORD_BEGUN: Final = re.compile(r"(?:[A-Za-z][a-z]{0,40})?")
_WORD: Final = re.compile(rf"[{LETTERS}][{LETTERS}0-9_.@:/\-+#&'’%?=~!]{{0,{WORD_CHARS}}}")
_BODY: Final = r"[A-Za-z0-9.,:)/\-+%‰°℃℉*×÷=^~_'—Ωμµ€£¥$]"
_QUANTITY: Final = re.compile(
    rf"(?:[A-Z]{{0,3}}[$€£¥₩₹]?)? ?(?:[0-9]{_BODY}{{0,120}})?"
    rf"(?: ?[-+*/×÷=~—<>≈:]{{0,2}} ?(?:[0-9]{_BODY}{{0,40}})?){{0,4}}"
    rf"(?: ?[A-Za-z%‰°℃℉μΩ/$€£¥][A-Za-z%°℃^0-9/.]{{0,14}})?"
    rf"(?: ?[十百千万亿]{{0,3}}[{HAN}]?)?"
)
_SYMBOL: Final = re.compile(rf"[+\-*/=<>%^~#&@|\\_!`{_SIGNS}]{{1,16}} {{0,2}}[^ ]?", re.DOTALL)
_SIGN_RUN: Final = re.compile(rf"[+\-*/=<>%^~#&@|\\_!`{_SIGNS}]+")
_POWER: Final = re.compile(r"\^-?[0-9^]{0,8}")
_POWER_DONE: Final = re.compile(r"\^(-?)((?:\^?[0-9])+)")
_DOTS: Final = re.compile(r"\.{1,16}[^.]?", re.DOTALL)
_BRACKET: Final = re.compile(r"\((?:[0-9]{1,3}\)? ?[0-9-]{0,9})?")
_BRACKET_PHONE: Final = re.compile(r"\((\d{3})\) ?(\d{3})-(\d{4})")
_HAN_RUN: Final = re.compile(f"[{HAN}]+")
_HAN: Final = re.compile(f"[{HAN}]")
_PLAIN_WORD: Final = re.compile(rf"([A-Za-z]?[a-z{_LOWER}]+(?:['’-][a-z]+)*)[.!?:~]*")
_LATIN_WORD: Final = re.compile(r"(?<![A-Za-z0-9_.:/@\\])[A-Za-z]{2,}(?![A-Za-z0-9_:/@$\\]|\.[A-Za-z])")
_CODES: Final = frozenset("USD CNY RMB EUR GBP JPY KRW HKD TWD INR SGD AUD CAD US HK NT S A C No.".split())
_CODE_AMOUNT: Final = re.compile(r"(?:(?:US|HK|NT|[SAC])\$ ?|[A-Z]{3} ?)\d")
_NUMBER_WORD: Final = re.compile(r"No\. ?(?=\d)")
_SCALE_HAN: Final = "十百千万亿"


class Reader:
    """Owns the text not read yet (`pending`) and the window of text already read (`before`)."""

    def __init__(self, formulas: deque[str]) -> None:
        self.pending = ""
        self.before = ""
        self._formulas = formulas
        self._out: list[str] = []
        self._final = False

    def feed(self, text: str) -> str:
        """Return the words that are certain."""
        self.pending += text
        return self._drain()

    def finish(self) -> str:
        """Return the rest."""
        self._final = True
        return self._drain()

    def remember(self, text: str) -> None:
        """Move the window over text that has been read."""
        self.before = (self.before + text)[-WINDOW_CHARS:]

    def can_give_back(self, space: str) -> bool:
        """Tell whether all that is held is `space`, the last thing read, and perhaps the beginning of a plain word."""
        return self.before.endswith(space) and _WORD_BEGUN.fullmatch(self.pending) is not None

    def give_back(self, space: str) -> str:
        """Return what is held, as if it had never come."""
        held, self.pending = space + self.pending, ""
        self.before = self.before.removesuffix(space) if space else self.before
        return held

    def _drain(self) -> str:
        text, at = self.pending, 0
        while at < len(text):
            moved = self._step(text, at)
            if moved < 0:
                break
            self.remember(text[at:moved])
            at = moved
        self.pending = text[at:]
        if not self._out:
            return ""
        out = "".join(self._out)
        self._out.clear()
        return out

    def _step(self, text: str, at: int) -> int:
        free = _FREE.match(text, at)
        if free is not None:
            self._out.append(free[0])
            return free.end()
        char = text[at]
        if char.isdigit() or char in "$€£¥₩₹":
            return self._quantity(text, at)
        if char.isalpha():
            return self._word(text, at)
        return self._sign(text, at)

    def _is_open(self, text: str, end: int) -> bool:
        return end >= len(text) and not self._final

    # -- language ------------------------------------------------------------------------------------------------

    def _tongue(self, text: str, at: int) -> Tongue | None:
        """Choose the language here; None while the text that decides is not here yet."""
        han = len("".join(_HAN_RUN.findall(self.before)))
        words = len(_LATIN_WORD.findall(self.before))
        if han or words:
            return CHINESE if han >= words else ENGLISH
        ahead = text[at : at + AHEAD_CHARS]
        if _HAN.search(ahead):
            return CHINESE
        if len(ahead) < AHEAD_CHARS and not self._final:
            return None
        return ENGLISH if _LATIN_WORD.search(ahead) else CHINESE

    def _say(self, words: str, tongue: Tongue) -> None:
        self._out.append(f"{WORD_EDGE}{words}{WORD_EDGE}" if tongue.index else f"{GLUE_BEFORE}{words}{GLUE_AFTER}")

    # -- quantities ----------------------------------------------------------------------------------------------

    def _quantity(self, text: str, at: int, *, negative: bool = False) -> int:
        start = at + negative
        region = _QUANTITY.match(text, start)
        assert region is not None
        end = region.end()
        touches_han = bool(_HAN.match(text[end - 1]))
        if self._is_open(text, end) and (not touches_han or text[end - 1] in _SCALE_HAN):
            return WAIT
        tongue = CHINESE if touches_han else self._tongue(text, at)
        if tongue is None:
            return WAIT
        stop, words = read_quantity(text, start, end=end, tongue=tongue, before=self.before + "-" * negative)
        name = PATTERN_NAME.match(text, start, end)
        if name is not None and name.end() > stop:
            stop, words = name.end(), name[0]
            self._out.append(words)
        elif negative and words:
            is_temperature = text[start:stop].endswith(("℃", "°C"))
            self._say(tongue.negative(words, is_temperature=is_temperature), tongue)
        elif words:
            self._say(words, tongue)
        return stop

    # -- words ---------------------------------------------------------------------------------------------------

    def _word(self, text: str, at: int) -> int:
        region = _WORD.match(text, at)
        if region is None:
            self._out.append(text[at])
            return at + 1
        end = region.end()
        if self._is_open(text, end):
            return WAIT
        if region[0] in _CODES:
            return self._code_word(text, at, region)
        plain = _PLAIN_WORD.fullmatch(region[0])
        if plain is not None:
            self._out.append(plain[1])
            return at + plain.end(1)
        tongue = self._tongue(text, at)
        if tongue is None:
            return WAIT
        stop, words = read_word(text, at, end=end, tongue=tongue, before=self.before)
        self._out.append(words)
        return stop

    def _code_word(self, text: str, at: int, region: re.Match[str]) -> int:
        """Judge a word that may be a currency's code before an amount, or No. before a number."""
        if len(text) < region.end() + 3 and not self._final:
            return WAIT
        ahead = text[: region.end() + 3]
        number = _NUMBER_WORD.match(ahead, at)
        if number is not None:
            return self._number_word(text, at, number.end())
        if _CODE_AMOUNT.match(ahead, at):
            return self._quantity(text, at)
        word = PLAIN.match(region[0])
        assert word is not None
        self._out.append(word[0])
        return at + word.end()

    def _number_word(self, text: str, at: int, end: int) -> int:
        tongue = self._tongue(text, at)
        if tongue is None:
            return WAIT
        self._say(("第", "number ")[tongue.index], tongue)
        return end

    # -- signs ---------------------------------------------------------------------------------------------------

    def _sign(self, text: str, at: int) -> int:
        char = text[at]
        if char == ".":
            return self._dots(text, at)
        if char == "(":
            return self._bracket(text, at)
        if char == ":":
            return self._colon(text, at)
        if char == "^":
            return self._power(text, at)
        if char in (CODE_MARK, FORMULA_MARK):
            return self._mark(text, at)
        return self._symbol(text, at)

    def _symbol(self, text: str, at: int) -> int:
        region, run = _SYMBOL.match(text, at), _SIGN_RUN.match(text, at)
        if region is None or run is None:
            return at + 1
        if self._is_open(text, region.end()) and (region[0][-1] == " " or region.end() == min(run.end(), at + 16)):
            return WAIT
        if text[at] == "!" and not run[0].startswith("!="):
            self._out.append("!")
            return at + 1
        if self._is_minus(text, at):
            return self._quantity(text, at, negative=True)
        tongue = self._tongue(text, at)
        if tongue is None:
            return WAIT
        signs = run[0][:16]
        size, words = read_symbol(signs, self.before, region[0][len(signs) :], tongue)
        self._say(words, tongue) if words.strip() else self._out.append(words)
        return at + size

    def _is_minus(self, text: str, at: int) -> bool:
        """A minus sign stands before a number and after nothing that could be its left-hand side."""
        left = self.before[-1:]
        has_left = left.isascii() and left.isalnum() or left in tuple("%℃°)）日月年时分点号")
        return text[at] == "-" and text[at + 1 : at + 2] in tuple("0123456789$€£¥") and not has_left

    def _power(self, text: str, at: int) -> int:
        region = _POWER.match(text, at)
        assert region is not None
        if self._is_open(text, region.end()):
            return WAIT
        tongue = self._tongue(text, at)
        if tongue is None:
            return WAIT
        power = _POWER_DONE.match(region[0])
        if power is None or not self.before[-1:].isalnum() and self.before[-1:] not in (")", "）"):
            return at + 1
        sign = tongue.minus if power[1] else ""
        words = tongue.power([sign, tongue.number(power[2].replace("^", ""))] if sign else [tongue.number(power[2].replace("^", ""))])
        self._say(tongue.join_math(["", *words]), tongue)
        return at + power.end()

    def _dots(self, text: str, at: int) -> int:
        region = _DOTS.match(text, at)
        assert region is not None
        count = len(region[0]) - len(region[0].lstrip("."))
        if self._is_open(text, region.end()) and count == len(region[0]):
            return WAIT
        after, left = region[0][count:], self.before[-1:]
        if count > 1:
            self._out.append("…")
            return at + count
        if after.isdigit() and not left.isalnum():
            return self._bare_fraction(text, at)
        return self._single_dot(text, at, after)

    def _bare_fraction(self, text: str, at: int) -> int:
        """Read .5 as 0.5."""
        tongue = self._tongue(text, at)
        if tongue is None:
            return WAIT
        self._say(tongue.number("0") + ("点", " point ")[tongue.index], tongue)
        return at + 1

    def _single_dot(self, text: str, at: int, after: str) -> int:
        left = self.before[-1:]
        if not (after.isascii() and after.isalpha()) or left.isalnum() or left in (")", '"', "'"):
            self._out.append(".")
            return at + 1
        if after == "N":
            self._out.append(NAME_DOT)
            return at + 1
        tongue = self._tongue(text, at)
        if tongue is None:
            return WAIT
        self._say(tongue.dot, tongue)
        return at + 1

    def _bracket(self, text: str, at: int) -> int:
        region = _BRACKET.match(text, at)
        assert region is not None
        if self._is_open(text, region.end()):
            return WAIT
        phone = _BRACKET_PHONE.match(text, at, region.end())
        if phone is None:
            self._out.append("(")
            return at + 1
        tongue = self._tongue(text, at)
        if tongue is None:
            return WAIT
        self._say(tongue.phone(phone.groups()), tongue)
        return phone.end()

    def _colon(self, text: str, at: int) -> int:
        region = EMOTICON_REGION.match(text, at)
        assert region is not None
        if self._is_open(text, region.end()):
            return WAIT
        face = EMOTICON.match(text, at, region.end())
        is_face = face is not None and not (self.before[-1:].isascii() and self.before[-1:].isalnum())
        if face is not None and is_face:
            return face.end()
        self._out.append(":")
        return at + 1

    def _mark(self, text: str, at: int) -> int:
        tongue = self._tongue(text, at)
        if tongue is None:
            return WAIT
        if text[at] == CODE_MARK:
            self._out.append(f"\n{tongue.code_omitted}")
        else:
            self._say(read_formula(self._formulas.popleft(), tongue), tongue)
        return at + 1

"""How each construct is said: one class per language behind the `Tongue` protocol.

Shape: numbers arrive as strings of ASCII digits with at most one dot (thousands separators already gone); what comes back is words.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Protocol

from protocol.speech_text import numerals
from protocol.speech_text.units import EN_SCALES, Name

_MONTHS: Final = (
    "January February March April May June July August September October November December".split()
)


class Tongue(Protocol):
    """The words of one language."""

    index: int
    pause: str
    to: str
    minus: str
    degree: str
    about: str
    dot: str
    at: str
    code_omitted: str
    formula_omitted: str

    def number(self, number: str) -> str: ...
    def digits(self, digits: str) -> str: ...
    def phone(self, groups: Sequence[str]) -> str: ...
    def dotted(self, parts: Sequence[str], *, by_digit: bool) -> str: ...
    def year(self, digits: str) -> str: ...
    def date(self, year: str, month: str, day: str) -> str: ...
    def clock(self, hour: str, minute: str, second: str, *, half: str) -> str: ...
    def percent(self, number: str, to: str, *, of: int) -> str: ...
    def fraction(self, above: str, below: str) -> str: ...
    def ratio(self, parts: Sequence[str]) -> str: ...
    def quantity(self, number: str, unit: Name) -> str: ...
    def money(self, amount: str, currency: Name, *, power: int, cent: str) -> str: ...
    def ordinal(self, digits: str) -> str: ...
    def decade(self, digits: str) -> str: ...
    def times(self, number: str) -> str: ...
    def negative(self, words: str, *, is_temperature: bool) -> str: ...
    def over(self, above: list[str], below: list[str]) -> list[str]: ...
    def root(self, degree: list[str], inside: list[str]) -> list[str]: ...
    def power(self, exponent: list[str]) -> list[str]: ...
    def join_math(self, words: list[str]) -> str: ...


class Chinese:
    """Mandarin, in Chinese numerals."""

    index = 0
    pause = "，"
    to = "到"
    minus = "负"
    degree = "度"
    about = "约"
    dot = "点"
    at = "艾特"
    code_omitted = "代码略。"
    formula_omitted = "公式略"

    def number(self, number: str) -> str:
        return numerals.zh_decimal(number)

    def digits(self, digits: str) -> str:
        return numerals.zh_digits(digits)

    def phone(self, groups: Sequence[str]) -> str:
        return "，".join(numerals.zh_digits(group, one="幺") for group in groups)

    def dotted(self, parts: Sequence[str], *, by_digit: bool) -> str:
        return "点".join(map(numerals.zh_digits if by_digit else numerals.zh_integer, parts))

    def year(self, digits: str) -> str:
        return numerals.zh_digits(digits)

    def date(self, year: str, month: str, day: str) -> str:
        spoken = numerals.zh_digits(year) + "年" if year else ""
        spoken += numerals.zh_integer(month) + "月"
        return spoken + (numerals.zh_integer(day) + "日" if day else "")

    def clock(self, hour: str, minute: str, second: str, *, half: str) -> str:
        spoken = _ZH_HALVES.get(half, "") + _zh_hour(hour) + "点"
        if int(minute) or second:
            spoken += _zh_two(minute) + "分"
        return spoken + (_zh_two(second) + "秒" if second else "")

    def percent(self, number: str, to: str, *, of: int) -> str:
        prefix = {100: "百分之", 1000: "千分之"}[of]
        return prefix + self.number(number) + (f"到{prefix}{self.number(to)}" if to else "")

    def fraction(self, above: str, below: str) -> str:
        return f"{self.number(below)}分之{self.number(above)}"

    def ratio(self, parts: Sequence[str]) -> str:
        return "比".join(map(self.number, parts))

    def quantity(self, number: str, unit: Name) -> str:
        return ("两" if number == "2" and unit.zh[0] not in "度" else self.number(number)) + unit.zh

    def money(self, amount: str, currency: Name, *, power: int, cent: str) -> str:
        if power:
            amount = format((Decimal(amount) * 10**power).normalize(), "f")
        return ("两" if amount == "2" else self.number(amount)) + currency.zh

    def ordinal(self, digits: str) -> str:
        return "第" + numerals.zh_integer(digits)

    def decade(self, digits: str) -> str:
        if len(digits) == 2:
            return numerals.zh_integer(digits) + "年代"
        return f"{numerals.zh_integer(str(int(digits[:2]) + 1))}世纪{numerals.zh_integer(digits[2:])}年代"

    def times(self, number: str) -> str:
        return ("两" if number == "2" else self.number(number)) + "倍"

    def negative(self, words: str, *, is_temperature: bool) -> str:
        return ("零下" if is_temperature else "负") + words

    def over(self, above: list[str], below: list[str]) -> list[str]:
        return [*below, "分之", *above]

    def root(self, degree: list[str], inside: list[str]) -> list[str]:
        return [*([*degree, "次"] if degree else []), "根号", *inside]

    def power(self, exponent: list[str]) -> list[str]:
        short = {"二": ["的平方"], "三": ["的立方"]}
        return short.get("".join(exponent), ["的", *exponent, "次方"])

    def join_math(self, words: list[str]) -> str:
        return "".join(words)


_ZH_HALVES: Final = {"a": "上午", "p": "下午"}


def _zh_hour(hour: str) -> str:
    return "两" if int(hour) == 2 else numerals.zh_integer(hour)


def _zh_two(digits: str) -> str:
    """Read minutes or seconds: 05 → 零五."""
    return numerals.zh_digits(digits) if digits.startswith("0") and digits != "00" else numerals.zh_integer(digits)


class English:
    """American English, in words."""

    index = 1
    pause = ", "
    to = " to "
    minus = "minus"
    degree = "degrees"
    about = "about "
    dot = " dot "
    at = " at "
    code_omitted = "Code omitted."
    formula_omitted = "formula omitted"

    def number(self, number: str) -> str:
        return numerals.en_decimal(number)

    def digits(self, digits: str) -> str:
        return numerals.en_digits(digits)

    def phone(self, groups: Sequence[str]) -> str:
        return ", ".join(map(numerals.en_digits, groups))

    def dotted(self, parts: Sequence[str], *, by_digit: bool) -> str:
        return " point ".join(map(numerals.en_digits if by_digit else numerals.en_integer, parts))

    def year(self, digits: str) -> str:
        return numerals.en_year(digits)

    def date(self, year: str, month: str, day: str) -> str:
        spoken = _MONTHS[int(month) - 1] + (" " + numerals.en_ordinal(day) if day else "")
        return spoken + ((", " if day else " ") + numerals.en_year(year) if year else "")

    def clock(self, hour: str, minute: str, second: str, *, half: str) -> str:
        spoken = numerals.en_integer(hour)
        if int(minute):
            spoken += " " + _en_two(minute)
        elif not half and not second:
            spoken += " o'clock" if 0 < int(hour) <= 12 else " hundred hours"
        if second:
            spoken += f" and {numerals.en_integer(second)} second{'s' if int(second) != 1 else ''}"
        return spoken + {"a": " AM", "p": " PM"}.get(half, "")

    def percent(self, number: str, to: str, *, of: int) -> str:
        word = {100: " percent", 1000: " per mille"}[of]
        return self.number(number) + (f" to {self.number(to)}" if to else "") + word

    def fraction(self, above: str, below: str) -> str:
        if (below in ("2", "4")) or (int(above) < int(below) <= 100):
            name = {"2": "half", "4": "quarter"}.get(below) or numerals.en_ordinal(below)
            plural = {"half": "halves"}.get(name, name + "s")
            return f"{self.number(above)} {name if above == '1' else plural}"
        return f"{self.number(above)} over {self.number(below)}"

    def ratio(self, parts: Sequence[str]) -> str:
        return " to ".join(map(self.number, parts))

    def quantity(self, number: str, unit: Name) -> str:
        return f"{self.number(number)} {unit.one if number == '1' else unit.many}"

    def money(self, amount: str, currency: Name, *, power: int, cent: str) -> str:
        if power:
            return f"{self.number(amount)} {EN_SCALES[power]} {currency.many}"
        whole, _, part = amount.partition(".")
        if cent and len(part) == 2:
            return _en_coins(whole, part, currency, cent=cent)
        return self.quantity(amount, currency)

    def ordinal(self, digits: str) -> str:
        return numerals.en_ordinal(digits)

    def decade(self, digits: str) -> str:
        if len(digits) == 4 and digits[2:] == "00":
            return numerals.en_year(digits) + "s"
        century = numerals.en_integer(digits[:2]) + " " if len(digits) == 4 else ""
        return f"{century}{numerals.en_integer(digits[-2:])[:-1]}ies"

    def times(self, number: str) -> str:
        return self.number(number) + " times"

    def negative(self, words: str, *, is_temperature: bool) -> str:
        return "minus " + words

    def over(self, above: list[str], below: list[str]) -> list[str]:
        return [*above, "over", *below]

    def root(self, degree: list[str], inside: list[str]) -> list[str]:
        named = {"three": "cube"}.get("".join(degree))
        order = [named] if named else [*degree, "th"] if degree else ["square"]
        return ["the", *order, "root of", *inside]

    def power(self, exponent: list[str]) -> list[str]:
        short = {"two": ["squared"], "three": ["cubed"]}
        return short.get("".join(exponent), ["to the power of", *exponent])

    def join_math(self, words: list[str]) -> str:
        return " ".join(words).replace(" ,", ",")


def _en_two(digits: str) -> str:
    """Read minutes: 05 → oh five."""
    return "oh " + numerals.en_integer(digits) if digits.startswith("0") else numerals.en_integer(digits)


def _en_coins(whole: str, part: str, currency: Name, *, cent: str) -> str:
    pounds = f"{numerals.en_integer(whole)} {currency.one if whole == '1' else currency.many}"
    if part == "00":
        return pounds
    plural = "pence" if cent == "penny" else cent + "s"
    coins = f"{numerals.en_integer(part)} {cent if part == '01' else plural}"
    return coins if whole == "0" else f"{pounds} and {coins}"


CHINESE: Final = Chinese()
ENGLISH: Final = English()

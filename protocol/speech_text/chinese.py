"""How each construct is said in Chinese."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from protocol.speech_text import numerals
from protocol.speech_text.units import Name

_ZH_HALVES: Final = {"a": "上午", "p": "下午"}


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
        return ("两" if number == "2" and unit.zh[0] != "度" else self.number(number)) + unit.zh

    def money(self, amount: str, currency: Name, *, power: int, cent: str) -> str:
        if power:
            amount = format((Decimal(amount) * 10**power).normalize(), "f")
        if amount.endswith(".00"):
            amount = amount.removesuffix(".00")
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


def _zh_hour(hour: str) -> str:
    return "两" if int(hour) == 2 else numerals.zh_integer(hour)


def _zh_two(digits: str) -> str:
    """Read minutes or seconds: 05 → 零五."""
    return numerals.zh_digits(digits) if digits.startswith("0") and digits != "00" else numerals.zh_integer(digits)


CHINESE: Final = Chinese()

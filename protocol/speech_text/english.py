"""How each construct is said in English."""

from collections.abc import Sequence
from typing import Final

from protocol.speech_text import numerals
from protocol.speech_text.units import EN_SCALES, Name

_MONTHS: Final = "January February March April May June July August September October November December".split()


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


ENGLISH: Final = English()

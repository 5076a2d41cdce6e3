"""Spell numbers: Chinese numerals and English words from strings of ASCII digits.

Shape: every argument is digits only (`decimal` may hold one dot); strings, not ints, so that `007` and `3.10`
keep their zeros.
"""

from typing import Final

_ZH_DIGITS: Final = "零一二三四五六七八九"
_ZH_PLACES: Final = ("", "十", "百", "千")
_ZH_GROUPS: Final = ("", "万", "亿", "万亿")
_ZH_LONGEST: Final = 16
_EN_LONGEST: Final = 15

_EN_SMALL: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_EN_TENS: Final = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_EN_GROUPS: Final = ("", " thousand", " million", " billion", " trillion")
_EN_ORDINALS: Final = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def zh_digits(digits: str, *, one: str = "一") -> str:
    """Name each digit (`one="幺"` for telephone numbers)."""
    return "".join(one if d == "1" else _ZH_DIGITS[int(d)] for d in digits)


def zh_integer(digits: str) -> str:
    """Read a whole number: `2003` → 两千零三. Longer than 16 digits: digit by digit."""
    digits = digits.lstrip("0") or "0"
    if digits == "0":
        return "零"
    if len(digits) > _ZH_LONGEST:
        return zh_digits(digits)
    spoken = _zh_groups(digits)
    return spoken[1:] if spoken.startswith("一十") else spoken


def _zh_groups(digits: str) -> str:
    """Join groups of four digits, with one 零 for any run of zeros between two of them."""
    groups = [digits[max(0, end - 4) : end] for end in range(len(digits), 0, -4)]
    spoken = ""
    gap = False
    for place in range(len(groups) - 1, -1, -1):
        group = groups[place]
        if int(group) == 0:
            gap = True
            continue
        if spoken and (gap or group.startswith("0")):
            spoken += "零"
        spoken += _zh_group(group, leading=not spoken, has_name=place > 0) + _ZH_GROUPS[place]
        gap = False
    return spoken


def _zh_group(group: str, *, leading: bool, has_name: bool) -> str:
    """Read up to four digits; a leading 2 is 两 before 千, and before 万 or 亿 when it stands alone."""
    bare = group.lstrip("0")
    if leading and has_name and bare == "2":
        return "两"
    spoken = ""
    zero = False
    for place, digit in zip(range(len(bare) - 1, -1, -1), bare, strict=True):
        if digit == "0":
            zero = True
            continue
        if zero:
            spoken += "零"
            zero = False
        name = "两" if digit == "2" and place == 3 and leading else _ZH_DIGITS[int(digit)]
        spoken += name + _ZH_PLACES[place]
    return spoken


def zh_decimal(number: str) -> str:
    """Read a decimal number: `3.05` → 三点零五."""
    whole, dot, fraction = number.partition(".")
    return zh_integer(whole) + ("点" + zh_digits(fraction) if dot else "")


def en_digits(digits: str) -> str:
    """Name each digit, with spaces."""
    return " ".join(_EN_SMALL[int(d)] for d in digits)


def en_integer(digits: str) -> str:
    """Read a whole number: `1203` → one thousand two hundred three. Longer than 15 digits: digit by digit."""
    digits = digits.lstrip("0") or "0"
    if len(digits) > _EN_LONGEST:
        return en_digits(digits)
    groups = [digits[max(0, end - 3) : end] for end in range(len(digits), 0, -3)]
    spoken = [
        _en_group(int(groups[place])) + _EN_GROUPS[place]
        for place in range(len(groups) - 1, -1, -1)
        if int(groups[place])
    ]
    return " ".join(spoken) or "zero"


def _en_group(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    words = [f"{_EN_SMALL[hundreds]} hundred"] if hundreds else []
    if rest:
        words.append(_en_below_hundred(rest))
    return " ".join(words)


def _en_below_hundred(value: int) -> str:
    if value < 20:
        return _EN_SMALL[value]
    tens, ones = divmod(value, 10)
    return f"{_EN_TENS[tens]}-{_EN_SMALL[ones]}" if ones else _EN_TENS[tens]


def en_decimal(number: str) -> str:
    """Read a decimal number: `3.05` → three point zero five."""
    whole, dot, fraction = number.partition(".")
    return en_integer(whole) + (" point " + en_digits(fraction) if dot else "")


def en_ordinal(digits: str) -> str:
    """Read a rank: `21` → twenty-first."""
    head, joint, last = _split_last_word(en_integer(digits))
    return head + joint + _ordinal_word(last)


def _split_last_word(words: str) -> tuple[str, str, str]:
    cut = max(words.rfind(" "), words.rfind("-"))
    return (words[:cut], words[cut], words[cut + 1 :]) if cut >= 0 else ("", "", words)


def _ordinal_word(word: str) -> str:
    if word in _EN_ORDINALS:
        return _EN_ORDINALS[word]
    return word[:-1] + "ieth" if word.endswith("y") else word + "th"


def en_year(digits: str) -> str:
    """Read a year of four digits in pairs: `2026` → twenty twenty-six, `2005` → two thousand five."""
    century, rest = int(digits[:2]), int(digits[2:])
    if century % 10 == 0 and rest < 10:
        return en_integer(digits)
    if rest == 0:
        return f"{_en_below_hundred(century)} hundred"
    tail = f"oh {_EN_SMALL[rest]}" if rest < 10 else _en_below_hundred(rest)
    return f"{_en_below_hundred(century)} {tail}"

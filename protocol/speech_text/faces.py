"""Faces made of characters: kaomoji in brackets with their arms, and the ASCII ones."""

import re
from typing import Final

from protocol.speech_text.characters import HAN

_ARM_BEFORE: Final = r"[¯ヽ╮٩ლ乁凸]"
_ARM_AFTER: Final = r"[¯ノ／/╯╭╮︵︶┻━┬─ﾉゞつづシو۶ლ彡☆★✧⌒ςσۜɔ๑♡ㄏ]"
_INSIDE: Final = rf"(?:[A-Za-z0-9](?![A-Za-z0-9])|[^)）(（\nA-Za-z0-9{HAN}])"

KAOMOJI_REGION: Final = re.compile(
    rf"{_ARM_BEFORE}{{0,3}}\\?_?(?:[(（]{_INSIDE}{{0,16}}(?:[)）]_?{_ARM_AFTER}{{0,10}})?)?"
)
"""All that may be a face from here on; it stops at the first Chinese character or word of two letters."""

_MARKED: Final = r"[▽□ಠツ﹏≧≦∀◕‿ᴗ╥ㅂ益﹃´｀≖ಥ⌒╯╰◡ᵕ◞◟ﾟᴥ◉ʘ✧♡٩۶☆★Ò•｡๑✿♥ಡಢ︶◔ᗜ⊙●○¬⁄]"
_PLAIN: Final = r"(?:\^[_.oO▽ω\-]{0,2}\^|>[_.]?<|[Tt]_{1,2}[Tt]|;_;|-_-|=_=|[oO0]_[oO0]|°[^)）]{1,3}°|[・´`•^ﾟ*｡·]ω|:з)"
KAOMOJI: Final = re.compile(
    rf"{_ARM_BEFORE}{{0,3}}\\?_?[(（](?=[^)）]*(?:{_MARKED}|{_PLAIN})){_INSIDE}{{1,16}}[)）](?:_?{_ARM_AFTER}{{1,10}})?"
)

EMOTICON_WORDS: Final = frozenset(
    ("T_T", "Q_Q", "QAQ", "QwQ", "TAT", "Orz", "OTZ", "XD", "o_O", "O_o", "O_O", "o_o", "QWQ")
)
EMOTICON: Final = re.compile(r"[:;]['-]?(?:[)(]+|[DPp](?![A-Za-z0-9]))")
EMOTICON_REGION: Final = re.compile(r"[:;]['-]?(?:[)(]{1,8}|[DPp].?)?")

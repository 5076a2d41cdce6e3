"""HTML: tags and comments disappear, entities become their characters, words in angle brackets lose the brackets."""

import html
import re
from typing import Final

from protocol.speech_text.characters import HAN, INVISIBLE
from protocol.speech_text.scan import NONE, WAIT, LeftOut, Scan

TAG_CHARS: Final = 300
COMMENT_CHARS: Final = 2000
_ENTITY: Final = re.compile(r"&(?:#[0-9xXa-fA-F]{0,8}|[A-Za-z][A-Za-z0-9]{0,10})?;?")
_TAG_NAME: Final = re.compile(r"</?[A-Za-z0-9]{0,12}")
_AFTER_TAG_NAME: Final = ("", *" \t\n/>")
_ANGLED: Final = re.compile(r"<[^\s<>]{0,300}>?")
_ANGLED_DONE: Final = re.compile(rf"</?([A-Za-z{HAN}][^<>]*)>")
_BLOCK_TAGS: Final = frozenset(
    "br p div li tr h1 h2 h3 h4 h5 h6 ul ol dl dt dd table thead tbody blockquote hr details summary section article "
    "header footer center body html head form".split()
)
_CELL_TAGS: Final = frozenset(("td", "th"))
_INLINE_TAGS: Final = frozenset(
    "a abbr b big button code del em font i img ins kbd label mark q s samp small span strike strong sub sup time tt u "
    "var "
    "video audio source iframe input option select pre cite wbr caption title".split()
)
_LEFT_OUT_TAGS: Final = frozenset("think thinking thought reasoning script style svg".split())


def less_than(scan: Scan, text: str, at: int) -> int:
    name = _TAG_NAME.match(text, at)
    assert name is not None
    if scan.is_open(text, name.end()) or text[at : at + 4] in ("<!", "<!-") and scan.is_open(text, len(text)):
        return WAIT
    if scan.in_code:
        return _not_a_tag(scan, text, at)
    if text.startswith("<!--", at):
        return _past(scan, text, at, "-->", limit=COMMENT_CHARS, stop="")
    tag = name[0].strip("</").lower() if text[name.end() : name.end() + 1] in _AFTER_TAG_NAME else ""
    if tag in _LEFT_OUT_TAGS or tag in _INLINE_TAGS or tag in _BLOCK_TAGS or tag in _CELL_TAGS:
        return _tag(scan, text, at, tag=tag, is_opening=name[0][1:2] != "/")
    return _not_a_tag(scan, text, at)


def _past(scan: Scan, text: str, at: int, closer: str, *, limit: int, stop: str = "\n") -> int:
    """Return the place after `closer`; without one, `<` is plain text."""
    found = scan.find(text, at, closer, limit=limit, stop=stop)
    if found == NONE:
        scan.emit("<")
        return at + 1
    return found if found == WAIT else found + len(closer)


def _tag(scan: Scan, text: str, at: int, *, tag: str, is_opening: bool) -> int:
    if tag in _LEFT_OUT_TAGS and is_opening:
        end = _past(scan, text, at, ">", limit=TAG_CHARS)
        if end > at + 1:
            scan.left_out = LeftOut(rf"</{tag}\s*>")
        return end
    end = _past(scan, text, at, ">", limit=TAG_CHARS)
    if end > at + 1:
        scan.emit("\n" if tag in _BLOCK_TAGS else "|" if tag in _CELL_TAGS and not is_opening else "")
    return end


def _not_a_tag(scan: Scan, text: str, at: int) -> int:
    """Take the brackets off `<https://…>`, `<name>`, `List<T>` and a tag in inline code; leave a comparison alone."""
    region = _ANGLED.match(text, at)
    assert region is not None
    if scan.is_open(text, region.end()) and region[0][-1] != ">":
        return WAIT
    angled = _ANGLED_DONE.fullmatch(region[0])
    scan.emit(f" {angled[1]} " if angled else "<")
    return region.end() if angled else at + 1


def ampersand(scan: Scan, text: str, at: int) -> int:
    entity = _ENTITY.match(text, at)
    assert entity is not None
    if scan.is_open(text, entity.end()) and entity[0][-1] != ";":
        return WAIT
    decoded = html.unescape(entity[0]) if entity[0].endswith(";") else entity[0]
    if decoded != entity[0]:
        scan.emit(INVISIBLE.sub("", decoded))
        return entity.end()
    scan.emit("&")
    return at + 1

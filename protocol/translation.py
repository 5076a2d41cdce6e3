"""What a translation is asked to keep to, beside its languages."""

from dataclasses import dataclass

import msgspec


class Term(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A word, and the one that shall stand for it."""

    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How a text is translated. Languages are codes like `en`; `source` is empty when it shall be detected.

    `domain` says in English what the text is about and how it shall sound.
    """

    target: str
    source: str = ""
    terms: tuple[Term, ...] = ()
    domain: str = ""

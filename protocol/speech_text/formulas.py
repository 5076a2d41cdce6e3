"""Read simple LaTeX aloud: `\\frac{1}{2}` → 二分之一, `x^2 + 1` → x的平方加一.

A small recursive-descent reader over a list of tokens; whatever it does not know (matrices, environments,
alignment) makes the whole formula unreadable, and the caller says that a formula was left out.
"""

import re
from typing import Final

from protocol.speech_text.characters import FOLD
from protocol.speech_text.tongues import Tongue

LONGEST: Final = 240
_DEEPEST: Final = 6
_TOKEN: Final = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|[A-Za-z]+|\S")
_WIDE: Final = re.compile(r"[^\x00-\x7f]+")
_TEXT_GROUP: Final = re.compile(r"\\(?:text|mathrm|textbf|mathbf|operatorname|mbox)\s*\{([^{}]*)\}")


def _rows(table: str) -> dict[str, tuple[str, str]]:
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return {command: (zh, en) for commands, zh, en in rows for command in commands.split()}


_WORDS: Final = _rows(
    r"""
    + | 加 | plus
    - | 减 | minus
    = | 等于 | equals
    < \lt | 小于 | is less than
    > \gt | 大于 | is greater than
    * \times \cdot \ast × · | 乘以 | times
    / \div ÷ | 除以 | divided by
    \pm ± | 正负 | plus or minus
    \leq \le \leqslant ≤ | 小于等于 | is at most
    \geq \ge \geqslant ≥ | 大于等于 | is at least
    \neq \ne ≠ | 不等于 | is not equal to
    \approx \sim ≈ | 约等于 | is approximately
    \equiv | 恒等于 | is identical to
    \propto | 正比于 | is proportional to
    \in ∈ | 属于 | in
    \cup | 并 | union
    \cap | 交 | intersection
    \to \rightarrow \longrightarrow → | 到 | to
    \Rightarrow \implies ⇒ | 推出 | implies
    \infty ∞ | 无穷大 | infinity
    \sum ∑ | 求和 | the sum
    \prod | 求积 | the product
    \int ∫ | 积分 | the integral
    \lim | 极限 | the limit
    \partial | 偏 | partial
    \nabla | 梯度 | nabla
    \degree ° | 度 | degrees
    \% % | 百分号 | percent
    \pi π | π | pi
    \angle ∠ | 角 | angle
    \triangle △ | 三角形 | triangle
    \therefore | 所以 | therefore
    \because | 因为 | because
    \ldots \cdots \dots | 等等 | and so on
    ! | 的阶乘 | factorial
    , | ， | ,
    : | 比 | to
    """
)
_FUNCTIONS: Final = frozenset("sin cos tan cot sec csc log ln lg exp max min arcsin arccos arctan det".split())
_GREEK: Final = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau phi varphi "
    "chi psi omega "
    "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega".split()
)
_SILENT: Final = frozenset(
    r"\left \right \, \; \: \! \quad \qquad \displaystyle \big \Big \bigl \bigr \limits \mathbf \vec \bar \hat "
    r"\overline \mathbb \boxed | ( ) [ ] . ' \{ \} \| \$".split()
) | {"\\ "}


class _Unreadable(Exception):
    """The formula holds something that has no short reading."""


def read_formula(source: str, tongue: Tongue) -> str:
    """Return the formula in words, or the tongue's words for a formula that was left out."""
    source = _WIDE.sub(lambda m: m[0].translate(FOLD), source)
    source = _TEXT_GROUP.sub(lambda m: m[1], source.strip())
    if len(source) > LONGEST:
        return tongue.formula_omitted
    try:
        words = _Parser(_TOKEN.findall(source), tongue).whole()
    except _Unreadable:
        return tongue.formula_omitted
    return tongue.join_math(words)


class _Parser:
    """Invariant: `_at` only moves forward, one token at a time."""

    def __init__(self, tokens: list[str], tongue: Tongue) -> None:
        self._tokens = tokens
        self._tongue = tongue
        self._at = 0
        self._depth = 0

    def whole(self) -> list[str]:
        words = self._sequence("")
        if self._at < len(self._tokens) or not words:
            raise _Unreadable
        return words

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _sequence(self, closer: str) -> list[str]:
        """Read up to `closer` (or to the end) and step over it."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Unreadable
        words: list[str] = []
        while self._peek() not in (closer, ""):
            words += self._item(is_first=not words)
        if closer and not self._peek():
            raise _Unreadable
        self._at += bool(closer)
        self._depth -= 1
        return words

    def _item(self, *, is_first: bool) -> list[str]:
        words = self._minus() if is_first and self._peek() == "-" else self._atom(self._take())
        while self._peek() in ("^", "_"):
            words = words + self._script(self._take())
        return words

    def _minus(self) -> list[str]:
        self._take()
        return [self._tongue.minus]

    def _group(self) -> list[str]:
        """Read `{…}` or the one token that stands for it."""
        token = self._take()
        if token == "{":
            return self._sequence("}")
        if token.isdigit() and len(token) > 1:  # x^23 is x^2 followed by 3
            self._at -= 1
            self._tokens[self._at] = token[1:]
            return self._atom(token[0])
        return self._atom(token)

    def _atom(self, token: str) -> list[str]:
        if token == "{":
            return self._sequence("}")
        if token[:1].isdigit():
            return [self._tongue.number(token)]
        if token == "\\frac" or token in ("\\dfrac", "\\tfrac"):
            above, below = self._group(), self._group()
            return self._tongue.over(above, below)
        if token == "\\sqrt":
            return self._root()
        return self._symbol(token)

    def _root(self) -> list[str]:
        degree = self._index() if self._peek() == "[" else []
        return self._tongue.root(degree, self._group())

    def _index(self) -> list[str]:
        self._take()
        return self._sequence("]")

    def _symbol(self, token: str) -> list[str]:
        name = token.lstrip("\\")
        if token in _WORDS:
            return [_WORDS[token][self._tongue.index]]
        if token in _SILENT:
            return []
        if name in _FUNCTIONS or name in _GREEK and token[0] == "\\":
            return [name]
        if token[:1] in ("", "\\") or token in ("&", "{", "}", "~", "#"):
            raise _Unreadable
        return [token] if token.isalnum() else []

    def _script(self, mark: str) -> list[str]:
        if self._peek() in ("\\circ", "\\prime"):
            return [self._tongue.degree] if self._take() == "\\circ" else []
        words = self._group()
        return self._tongue.power(words) if mark == "^" else words

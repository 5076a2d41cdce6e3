"""Who may ask, and with whose key the vendor is asked.

    a credential that is one of our tokens      the server's key; known by the token's hash
    another one, where callers bring keys       it is the vendor's key; known by its own hash
    another one elsewhere                       refused
    none, with the built-in emulator            the emulator's key: no secret is at stake
    none, ALLOW_ANONYMOUS, or no tokens exist   the server's key, if the visitor may have it: everybody, or who is on
    and the visitor is on this machine          this machine; never a page of another site

A browser sends no credential by itself (there are no cookies), so a request that brings one means it: it may come from
any page. One without a credential could be made by any page that a person of this machine happens to look at, and is
therefore held to its origin.
"""

import hmac
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from protocol.errors import Forbidden, Unauthorized
from protocol.keys import ApiKey, digest

_WHERE = "Send it as 'Authorization: Bearer KEY'."
_LONGEST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks. `key` is what the vendor is asked with; `identity` is what limits and logs know them by.

    `owner` is whose the conversations are: the whole SHA-256 of a credential, for eight digits of it can be met by
    trying. `is_stranger`: without a credential and from elsewhere, so that nobody can tell who it is.
    `name` is what the operator calls the token, empty for all others. `brings_key`: the vendor's key is their own.
    """

    key: ApiKey
    identity: str
    owner: str = ""
    is_stranger: bool = False
    name: str = ""
    brings_key: bool = False


HOUSE = "house"
"""The owner of what is said with the server's key and without a token; it outlives a change of that key."""


class Tokens(Protocol):
    """The tokens that exist at this moment."""

    @property
    def any_exist(self) -> bool: ...

    def name_of(self, token_digest: str) -> str | None:
        """Return what the token with this SHA-256 is called, None when there is none."""


Mode = Literal["emulator", "server", "pass-through", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRules:
    """`key` is the server's own. `pass_through`: whether callers bring keys; None = if there are no tokens."""

    key: ApiKey
    is_emulator: bool = False
    pass_through: bool | None = None
    allows_anonymous: bool = False


class Access:
    """The rule of who may ask. Threads: any."""

    def __init__(self, rules: AccessRules, tokens: Tokens) -> None:
        self._rules, self._tokens = rules, tokens
        self._nobody = Caller(key=rules.key, identity=rules.key.fingerprint, owner=HOUSE)
        self._stranger = replace(self._nobody, is_stranger=True)
        self._own_digest = digest(rules.key.reveal())

    @property
    def has_tokens(self) -> bool:
        return self._tokens.any_exist

    @property
    def mode(self) -> Mode:
        """Return whose keys are used, for people."""
        if self._rules.is_emulator:
            return "emulator"
        if not self._rules.key:
            return "pass-through"
        return "both" if self._brings_keys else "server"

    @property
    def in_words(self) -> str:
        """Return the same with who needs what, for the people who started the server."""
        if self.has_tokens:
            return "API tokens" + (", or a DashScope key of the caller's own" if self._brings_keys else "")
        if self._rules.is_emulator:
            return "none needed: the built-in emulator takes any"
        own = ["the caller's own DashScope key"] if self._brings_keys else []
        return "; ".join([*own, *self._words_for_anonymous()])

    def _words_for_anonymous(self) -> list[str]:
        if self._rules.pass_through and not self._rules.key:
            return []
        return ["none needed by anybody" if self._rules.allows_anonymous else "none needed on this machine"]

    @property
    def _brings_keys(self) -> bool:
        chosen = self._rules.pass_through
        return not self._tokens.any_exist if chosen is None else chosen

    def admit_known(self, credential: ApiKey) -> Caller:
        """Return who brings a credential. Raises: Unauthorized."""
        secret = credential.reveal()
        if not (secret.isascii() and secret.isprintable() and 0 < len(secret) <= _LONGEST) or " " in secret:
            raise malformed()
        hashed = digest(secret)
        if (name := self._tokens.name_of(hashed)) is not None:
            return Caller(key=self._rules.key, identity=hashed[:8], owner=hashed, name=name)
        if not self._brings_keys:
            raise Unauthorized(
                "密钥不正确，请检查。", english="Incorrect API key provided: it is none of this server's tokens."
            )
        owner = HOUSE if hmac.compare_digest(hashed, self._own_digest) else hashed
        return Caller(key=credential, identity=hashed[:8], owner=owner, brings_key=True)

    def admit_anonymous(self, *, is_local: bool, is_same_site: bool) -> Caller:
        """Return who somebody without a credential is. Raises: Unauthorized, Forbidden.

        `is_local`: the request was made on this machine, by no proxy. `is_same_site`: no page of another site made it.
        """
        if not self._may_be_anonymous(is_local=is_local):
            raise Unauthorized(
                f"缺少 API 密钥。{_WHERE}",
                english=f"You didn't provide an API key. {_WHERE}",
                code="missing_api_key",
            )
        if not is_same_site:
            raise Forbidden(
                "其他网站的页面不能不带密钥访问。",
                english="A page of another site may not ask without an API key. Send one, or let the operator add the "
                "site to ALLOWED_ORIGINS.",
            )
        return self._nobody if is_local or self._rules.is_emulator else self._stranger

    def _may_be_anonymous(self, *, is_local: bool) -> bool:
        rules = self._rules
        if rules.pass_through and not rules.key:  # everybody brings a key of their own
            return False
        if rules.allows_anonymous:
            return True
        return not self._tokens.any_exist and (rules.is_emulator or is_local)


def malformed() -> Unauthorized:
    """Return the error of a credential that is none."""
    return Unauthorized(
        f"API 密钥的格式不正确。{_WHERE}",
        english=f"The API key is not in a form that this server understands. {_WHERE}",
        code="invalid_authorization_format",
    )


class TokenList:
    """Tokens of the settings and of a file together. `listed` holds words `sha256:<64 hex digits>`."""

    def __init__(self, listed: tuple[str, ...], file: Tokens) -> None:
        self._digests = [word.removeprefix("sha256:") for word in listed]
        self._file = file

    @property
    def any_exist(self) -> bool:
        return bool(self._digests) or self._file.any_exist

    def name_of(self, token_digest: str) -> str | None:
        """Return a token's name; one of the settings has only its place.

        Digests are compared, whose digits a visitor cannot choose, and in constant time all the same.
        """
        for place, known in enumerate(self._digests, 1):
            if hmac.compare_digest(known, token_digest):
                return f"API_TOKENS[{place}]"
        return self._file.name_of(token_digest)

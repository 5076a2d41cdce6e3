"""The rule of who may ask, away from HTTP: modes and what callers are known by."""

import pytest

from protocol.errors import Unauthorized
from protocol.keys import ApiKey, digest
from services.admission.access import HOUSE, Access, AccessRules, TokenList

KEY, TOKEN = ApiKey("sk-server"), ApiKey("vb-token")


class NoTokens:
    """A file without tokens."""

    any_exist = False

    def name_of(self, token_digest: str) -> str | None:
        return None


def access(*, tokens: str = "", **rules: object) -> Access:
    listed = tuple(f"sha256:{digest(token)}" for token in tokens.split())
    return Access(AccessRules(**{"key": KEY, **rules}), TokenList(listed, NoTokens()))


def test_what_is_a_callers_own_is_known_by_more_than_eight_digits() -> None:
    caller = access(tokens="vb-token").admit_known(TOKEN)

    assert caller.owner == digest("vb-token") and caller.identity == caller.owner[:8]
    assert caller.key == KEY and caller.name == "API_TOKENS[1]"


def test_all_without_a_credential_are_one() -> None:
    caller = access().admit_anonymous(is_local=True, is_same_site=True)

    assert (caller.key, caller.owner) == (KEY, HOUSE)


def test_the_servers_own_key_has_the_conversations_of_the_house() -> None:
    assert access().admit_known(KEY).owner == HOUSE
    assert access().admit_known(ApiKey("sk-another")).owner == digest("sk-another")


@pytest.mark.parametrize(
    ("is_local", "is_emulator", "is_stranger"), [(True, False, False), (False, False, True), (False, True, False)]
)
def test_who_comes_from_elsewhere_without_a_credential_is_a_stranger(
    is_local: bool, is_emulator: bool, is_stranger: bool
) -> None:
    door = access(allows_anonymous=True, is_emulator=is_emulator)

    assert door.admit_anonymous(is_local=is_local, is_same_site=True).is_stranger is is_stranger


def test_tokens_count_with_the_emulator_too() -> None:
    guarded = access(tokens="vb-token", is_emulator=True)

    with pytest.raises(Unauthorized):
        guarded.admit_anonymous(is_local=True, is_same_site=True)
    with pytest.raises(Unauthorized):
        guarded.admit_known(ApiKey("sk-any"))


@pytest.mark.parametrize("secret", ["", "two words", "k\u00e4se", "a\x00b", "x" * 4097])
def test_no_header_of_a_vendor_ever_gets_what_it_cannot_carry(secret: str) -> None:
    with pytest.raises(Unauthorized) as refused:
        access().admit_known(ApiKey(secret))

    assert refused.value.code == "invalid_authorization_format"


@pytest.mark.parametrize(
    ("rules", "tokens", "words"),
    [
        ({}, "", "the caller's own DashScope key; none needed on this machine"),
        ({"allows_anonymous": True}, "", "the caller's own DashScope key; none needed by anybody"),
        ({}, "vb-token", "API tokens"),
        ({"pass_through": True}, "vb-token", "API tokens, or a DashScope key of the caller's own"),
        ({"pass_through": True, "key": ApiKey("")}, "", "the caller's own DashScope key"),
        ({"pass_through": False}, "", "none needed on this machine"),
        ({"is_emulator": True}, "", "none needed: the built-in emulator takes any"),
    ],
)
def test_people_are_told_what_callers_need(rules: dict[str, object], tokens: str, words: str) -> None:
    assert access(tokens=tokens, **rules).in_words == words

import logging

import pytest

from protocol import errors
from protocol.keys import ApiKey

SECRET = "sk-very-secret-0123456789"


@pytest.mark.parametrize("shown", [str, repr, "{}".format, "{!r}".format, lambda key: f"{key}", lambda key: f"{[key]}"])
def test_a_key_is_never_shown_by_accident(shown) -> None:
    assert SECRET not in shown(ApiKey(SECRET))


def test_a_key_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("x").info("key=%s %r", ApiKey(SECRET), ApiKey(SECRET))

    assert SECRET not in caplog.text and ApiKey(SECRET).fingerprint in caplog.text


def test_keys_compare_by_secret_and_the_empty_one_is_false() -> None:
    assert ApiKey("a") == ApiKey("a") != ApiKey("b")
    assert hash(ApiKey("a")) == hash(ApiKey("a")) and not ApiKey("") and ApiKey("a")


def all_errors(kind: type) -> list[type]:
    return [kind, *(deeper for child in kind.__subclasses__() for deeper in all_errors(child))]


@pytest.mark.parametrize("kind", all_errors(errors.GatewayError))
def test_every_error_stands_in_the_tree_of_the_docstring_with_its_status(kind: type[errors.GatewayError]) -> None:
    [line] = [line for line in (errors.__doc__ or "").splitlines() if kind.__name__ in line.split()] or [""]

    assert kind is errors.GatewayError or str(kind.status) in line

"""Tokens in a file: a change works without a restart, and nothing that goes wrong lets anybody in."""

import logging
import stat
import threading
from pathlib import Path

import pytest

from protocol.errors import BadInput, NotFound
from protocol.keys import digest
from storage.tokens import TokenFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "api_tokens"


@pytest.fixture
def tokens(path: Path) -> TokenFile:
    return TokenFile(path)


def test_without_a_file_there_are_no_tokens(tokens: TokenFile) -> None:
    assert not tokens.any_exist and tokens.names() == [] and tokens.name_of(digest("x")) is None


def test_a_new_token_works_at_once_and_is_kept_as_its_hash_alone(tokens: TokenFile, path: Path) -> None:
    token = tokens.add("kitchen")

    assert TokenFile(path).name_of(digest(token)) == "kitchen"
    assert token not in path.read_text() and stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_revoked_token_ends_at_once_and_the_others_stay(tokens: TokenFile, path: Path) -> None:
    running = TokenFile(path)
    first, second = tokens.add("first"), tokens.add("second")
    assert running.name_of(digest(first)) == "first"

    tokens.revoke("first")

    assert running.name_of(digest(first)) is None and running.name_of(digest(second)) == "second"


def test_a_line_written_by_hand_works_without_a_restart(tokens: TokenFile, path: Path) -> None:
    tokens.add("first")

    with path.open("a") as file:
        file.write(f"# of the garage\n\ngarage  sha256:{digest('open sesame').upper()}\n")

    assert tokens.names() == ["first", "garage"] and tokens.name_of(digest("open sesame")) == "garage"


def test_a_broken_line_is_told_by_its_number_and_skipped(
    path: Path, tokens: TokenFile, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_text(f"# tokens\nhush-hush\nkitchen sha256:{digest('a')}")

    with caplog.at_level(logging.WARNING):
        assert tokens.name_of(digest("a")) == "kitchen"

    assert "line 2" in caplog.text and "hush" not in caplog.text


def test_a_file_of_nothing_but_broken_lines_still_means_that_tokens_are_wanted(path: Path, tokens: TokenFile) -> None:
    path.parent.mkdir()
    path.write_text("kitchen md5:123\n")

    assert tokens.any_exist and tokens.names() == []


def test_a_file_that_cannot_be_read_leaves_the_tokens_as_they_were(tokens: TokenFile, path: Path) -> None:
    token = tokens.add("kitchen")
    assert tokens.any_exist

    path.unlink()
    path.mkdir()

    assert tokens.any_exist and tokens.name_of(digest(token)) == "kitchen"


def test_a_name_is_given_once(tokens: TokenFile) -> None:
    tokens.add("kitchen")

    with pytest.raises(BadInput, match="revoke it first"):
        tokens.add("kitchen")


@pytest.mark.parametrize("name", ["", "two words", "#x", "a\nb sha256:0", "x" * 65])
def test_a_name_that_would_break_the_file_is_refused(tokens: TokenFile, path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="no name for a token"):
        tokens.add(name)

    assert not path.exists()


def test_a_token_that_does_not_exist_cannot_be_revoked(tokens: TokenFile) -> None:
    with pytest.raises(NotFound):
        tokens.revoke("nobody")


def test_tokens_made_at_the_same_time_all_stay(path: Path) -> None:
    threads = [threading.Thread(target=TokenFile(path).add, args=(f"n{n}",)) for n in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(TokenFile(path).names()) == [f"n{n}" for n in range(8)]

"""Files appear whole, stay below their root, and are given only to links that are ours and still young."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from protocol.errors import BadInput, NotFound, StorageError, Unauthorized
from services.storage_ports import ObjectStore, Saved
from storage.local_files import LocalFiles, load_or_create_secret

SECRET = b"k" * 32
NOW = 1_700_000_000.0
OUTSIDE = ["../secret", "a/../../secret", "/etc/passwd", "", ".", "..", "a//b", "a/", "a\\..\\b", "a\0b", "up/secret"]


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def files(tmp_path: Path, clock: Clock) -> LocalFiles:
    (tmp_path / "secret").write_bytes(b"of the server")
    root = tmp_path / "recordings"
    root.mkdir()
    (root / "up").symlink_to(tmp_path)
    return LocalFiles(root, base_url="http://voice.local:5000/", secret=SECRET, lifetime_s=60, clock=clock)


def parts_of(url: str) -> tuple[str, dict[str, str]]:
    split = urlsplit(url)
    return unquote(split.path.removeprefix("/files/")), {
        name: values[0] for name, values in parse_qs(split.query).items()
    }


def test_the_link_given_before_the_upload_opens_the_file_after_it(files: LocalFiles) -> None:
    store: ObjectStore = files
    key, query = parts_of(store.url("2026/03/录音 #1?.wav"))

    store.put("2026/03/录音 #1?.wav", b"RIFF sound", content_type="audio/wav")

    assert files.open_signed(key, **query).read_bytes() == b"RIFF sound"


def test_a_link_has_the_documented_form(files: LocalFiles) -> None:
    split = urlsplit(files.url("a/b.wav"))

    assert (split.scheme, split.netloc, split.path) == ("http", "voice.local:5000", "/files/a/b.wav")
    assert split.query.startswith(f"expires={int(NOW) + 60}&signature=")


def test_putting_again_replaces_the_file_and_leaves_nothing_else(files: LocalFiles, tmp_path: Path) -> None:
    files.put("a/b.wav", b"one", content_type="audio/wav")
    files.put("a/b.wav", b"two", content_type="audio/wav")

    assert {path.name: path.read_bytes() for path in (tmp_path / "recordings" / "a").iterdir()} == {"b.wav": b"two"}


def test_recordings_are_private_to_the_server(files: LocalFiles, tmp_path: Path) -> None:
    files.put("a/b.wav", b"one", content_type="audio/wav")

    assert stat.S_IMODE((tmp_path / "recordings/a/b.wav").stat().st_mode) == 0o600


@pytest.mark.parametrize("key", OUTSIDE)
def test_a_key_that_leaves_the_root_is_not_stored(files: LocalFiles, tmp_path: Path, key: str) -> None:
    with pytest.raises(BadInput, match="is not a key"):
        files.put(key, b"evil", content_type="audio/wav")

    assert (tmp_path / "secret").read_bytes() == b"of the server"


@pytest.mark.parametrize("key", OUTSIDE)
def test_a_key_that_leaves_the_root_is_not_found_even_when_signed(files: LocalFiles, key: str) -> None:
    _, query = parts_of(files.url(key))

    with pytest.raises(NotFound):
        files.open_signed(key, **query)


def test_a_link_to_nothing_or_to_a_folder_is_not_found(files: LocalFiles) -> None:
    files.put("a/b.wav", b"one", content_type="audio/wav")

    for url in (files.url("a/none.wav"), files.url("a")):
        key, query = parts_of(url)
        with pytest.raises(NotFound, match="There is no file"):
            files.open_signed(key, **query)


def test_a_link_works_until_its_last_second_and_no_longer(files: LocalFiles, clock: Clock) -> None:
    files.put("a.wav", b"one", content_type="audio/wav")
    key, query = parts_of(files.url("a.wav"))
    clock.now = NOW + 59.9
    assert files.open_signed(key, **query).read_bytes() == b"one"

    clock.now = NOW + 60

    with pytest.raises(Unauthorized, match="expired") as caught:
        files.open_signed(key, **query)
    assert caught.value.code == "link_expired"


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("a.wav", {"expires": str(int(NOW) + 61)}),
        ("a.wav", {"expires": "never"}),
        ("a.wav", {"expires": ""}),
        ("a.wav", {"expires": "\ud800"}),
        ("b.wav", {}),
        ("\ud800", {}),
        ("../secret", {}),
        ("a.wav", {"signature": ""}),
        ("a.wav", {"signature": "A" * 43}),
        ("a.wav", {"signature": "签名"}),
        ("a.wav", {"signature": "\ud800"}),
    ],
)
def test_a_changed_link_is_refused(files: LocalFiles, key: str, changes: dict[str, str]) -> None:
    for name in ("a.wav", "b.wav"):
        files.put(name, b"one", content_type="audio/wav")
    _, query = parts_of(files.url("a.wav"))

    with pytest.raises(Unauthorized) as caught:
        files.open_signed(key, **(query | changes))

    assert caught.value.code == "invalid_signature"


def test_the_boundary_between_key_and_time_cannot_be_moved(files: LocalFiles) -> None:
    _, query = parts_of(files.url("a?1"))

    with pytest.raises(Unauthorized, match="not valid"):
        files.open_signed("a", expires=f"1?{query['expires']}", signature=query["signature"])


def test_a_link_of_another_secret_is_refused(files: LocalFiles, tmp_path: Path) -> None:
    other = LocalFiles(tmp_path, base_url="http://x", secret=b"o" * 32, lifetime_s=60, clock=Clock())
    key, query = parts_of(other.url("secret"))

    with pytest.raises(Unauthorized):
        files.open_signed(key, **query)


def test_a_disk_that_takes_nothing_is_a_storage_error(files: LocalFiles, tmp_path: Path) -> None:
    (tmp_path / "recordings" / "taken").write_bytes(b"a file where a folder is needed")

    with pytest.raises(StorageError, match=r"Could not store 'taken/a\.wav'") as caught:
        files.put("taken/a.wav", b"one", content_type="audio/wav")

    assert isinstance(caught.value.__cause__, OSError)


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "link.secret"

    first, second = load_or_create_secret(path), load_or_create_secret(path)

    assert first == second
    assert len(first) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["link.secret"]


def test_all_who_ask_together_for_a_new_secret_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        for number in range(20):
            path = tmp_path / str(number) / "link.secret"
            assert len(set(threads.map(load_or_create_secret, [path] * 16))) == 1


def test_a_damaged_secret_is_named_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "link.secret"
    path.write_bytes(b"short")

    with pytest.raises(StorageError, match="is damaged: delete it"):
        load_or_create_secret(path)

    assert path.read_bytes() == b"short"


def test_a_file_is_read_measured_and_deleted_by_its_key(files: LocalFiles) -> None:
    store: ObjectStore = files
    assert store.put("a/b.wav", b"sound", content_type="audio/wav") is Saved.DELIVERED

    assert (store.get("a/b.wav"), store.size_bytes("a/b.wav")) == (b"sound", 5)
    store.delete("a/b.wav")
    store.delete("a/b.wav")

    assert store.size_bytes("a/b.wav") is None
    with pytest.raises(NotFound):
        store.get("a/b.wav")


@pytest.mark.parametrize("key", OUTSIDE)
def test_a_key_that_leaves_the_root_is_neither_read_nor_deleted(files: LocalFiles, tmp_path: Path, key: str) -> None:
    files.delete(key)

    assert files.size_bytes(key) is None
    assert (tmp_path / "secret").read_bytes() == b"of the server"
    with pytest.raises(NotFound):
        files.get(key)

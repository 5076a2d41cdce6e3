"""Opening all that the server remembers with, as the operator has set it."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from protocol.errors import StorageMisconfigured
from protocol.keys import ApiKey
from services.storage_ports import ObjectStore
from storage.journaled_history import JournaledHistory
from storage.local_files import LocalFiles, load_or_create_secret
from storage.retention import Retention
from storage.videos import SqlVideos


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketRules:
    """An OSS bucket and how it is reached. All empty: there is none."""

    access_key_id: str
    secret: ApiKey
    bucket: str
    region: str
    endpoint: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageRules:
    """`url_s` is the life of a signed link, `journal_bytes` bounds what waits for database and for bucket, each."""

    data_dir: Path
    public_url: str
    url_s: int
    journal_bytes: int
    keep_days: int
    bucket: BucketRules
    database: URL


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """All of it. `files` are the recordings of this machine, `store` is where new ones go."""

    files: LocalFiles
    store: ObjectStore
    history: JournaledHistory
    videos: SqlVideos
    retention: Retention

    def close(self) -> None:
        """End the threads and connections; harmless when repeated."""
        self.history.close()
        self.videos.close()
        self.retention.close()
        self.store.close()


def open_storage(rules: StorageRules) -> Storage:
    """Open everything; a database or bucket that is away does not stop it. Raises: StorageError (a wrong setting)."""
    rules.data_dir.mkdir(parents=True, exist_ok=True)
    files = LocalFiles(
        rules.data_dir / "files",
        base_url=rules.public_url,
        secret=load_or_create_secret(rules.data_dir / "link.secret"),
        lifetime_s=rules.url_s,
    )
    store = _open_bucket(rules) or files
    history = JournaledHistory(
        rules.database, journal=rules.data_dir / "journal" / "turns", max_bytes=rules.journal_bytes
    )
    retention = Retention(rules.data_dir / "files", keep_days=rules.keep_days)
    retention.start()
    videos = SqlVideos(rules.database)
    return Storage(files=files, store=store, history=history, videos=videos, retention=retention)


def _open_bucket(rules: StorageRules) -> ObjectStore | None:
    bucket = rules.bucket
    needed = {"ACCESSKEY_ID": bucket.access_key_id, "ACCESSKEY_SECRET": bucket.secret, "BUCKET": bucket.bucket}
    missing = [name for name, value in needed.items() if not value]
    if len(missing) == len(needed):
        return None
    if missing:
        raise StorageMisconfigured(f"For OSS, {' and '.join(missing)} must be set too.")
    from storage.oss import LONGEST_V4_S, OssBucket  # only a server with a bucket pays for the vendor's library
    from storage.spool import SpooledStore

    if bucket.signature == "v4" and rules.url_s > LONGEST_V4_S:
        raise StorageMisconfigured(f"With OSS_SIGNATURE=v4, RECORDING_URL_SECONDS may be {LONGEST_V4_S} at most.")
    oss = OssBucket(
        access_key_id=bucket.access_key_id,
        secret=bucket.secret,
        bucket=bucket.bucket,
        region=bucket.region,
        endpoint=bucket.endpoint,
        signature="v4" if bucket.signature == "v4" else "v1",
        lifetime_s=rules.url_s,
    )
    return SpooledStore(oss, spool=rules.data_dir / "journal" / "objects", max_bytes=rules.journal_bytes)

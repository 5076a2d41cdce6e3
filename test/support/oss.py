"""An account of the emulator's storage service, and the vendor's own SDK to look at it with."""

import uuid
from dataclasses import dataclass, field

import oss2
import requests

from emulator import Emulator


@dataclass(frozen=True)
class OssAccount:
    """One account with a bucket of its own at the emulator."""

    emulator: Emulator
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    secret: str = "the account's secret / 密"

    @property
    def access_key_id(self) -> str:
        return f"LTAI{self.name}"

    @property
    def bucket_name(self) -> str:
        return f"recordings-{self.name}"

    def set(self, **changes: object) -> None:
        """Make the account, or change it: secret, limits, faults."""
        fields = {
            "access_key_id": self.access_key_id,
            "access_key_secret": self.secret,
            "bucket": self.bucket_name,
            **changes,
        }
        answer = requests.post(f"{self.emulator.url}/emulator/oss", json=fields, timeout=10)
        assert answer.status_code == 200, answer.text

    def fail(self, kind: str, **changes: object) -> None:
        """Let one thing go wrong, once, or as `changes` say."""
        self.set(faults=[{"kind": kind, **changes}])

    def sdk(self, *, signature: str = "v1", secret: str = "", bucket: str = "", **options: object) -> oss2.Bucket:
        """Return the vendor's SDK, unmodified."""
        auth = oss2.make_auth(self.access_key_id, secret or self.secret, signature)
        options = {"region": "cn-beijing", "connect_timeout": 10, "endpoint": self.emulator.url} | options
        return oss2.Bucket(auth, options.pop("endpoint"), bucket or self.bucket_name, **options)

    def objects(self) -> dict[str, bytes]:
        """Return all that the bucket holds."""
        bucket = self.sdk()
        return {entry.key: bucket.get_object(entry.key).read() for entry in oss2.ObjectIteratorV2(bucket)}

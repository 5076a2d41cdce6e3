"""Who signed a request to the storage service: versions 1 and 4, in the header or in the query.

Source: OSS API reference, "Include a V1/V4 signature in the Authorization header" and "… in the URL". The signature is
reckoned here from the request as it arrived; nothing of the vendor's SDK is used, so that it is a real witness.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from base64 import b64encode
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote

from emulator.oss_errors import OssError
from emulator.oss_store import OssAccount, OssStore

_SKEW_S: Final = 15 * 60
_LONGEST_V4_S: Final = 7 * 86400
_V4: Final = "OSS4-HMAC-SHA256"
_V4_HEADER: Final = re.compile(
    rf"{_V4} Credential=(?P<credential>[^, ]+), ?"
    r"(AdditionalHeaders=(?P<before>[^, ]*), ?)?"
    r"Signature=(?P<signature>[0-9a-f]+)"
    r"(, ?AdditionalHeaders=(?P<after>[^, ]*))?"
)
_SUBRESOURCES: Final = frozenset(
    "acl append bucketInfo callback callback-var cname comp continuation-token cors delete encryption endTime img"
    " lifecycle link live location logging objectInfo objectMeta partNumber policy position qos referer replication"
    " replicationLocation replicationProgress requestPayment response-cache-control response-content-disposition"
    " response-content-encoding response-content-language response-content-type response-expires restore security-token"
    " sequential startTime stat status style styleName symlink tagging uploadId uploads versionId versioning versions"
    " vod website worm x-oss-process x-oss-traffic-limit".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as far as it is signed. `headers` has small letters; `key` is decoded."""

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def is_signed_in_url(self) -> bool:
        """Whether the query carries the signature."""
        return "Signature" in self.query or "x-oss-signature" in self.query


def authenticate(asked: Asked, store: OssStore) -> OssAccount | None:
    """Return who signed a request, None when nobody did.

    Raises: OssError (unknown key, wrong signature, wrong clock, link too old).
    """
    header = asked.headers.get("authorization", "")
    if "x-oss-signature" in asked.query:
        return _check_v4_url(asked, store)
    if "Signature" in asked.query:
        return _check_v1_url(asked, store)
    if header.startswith(f"{_V4} "):
        return _check_v4_header(asked, store, header)
    if header.startswith("OSS "):
        return _check_v1_header(asked, store, header)
    if header:
        raise OssError("InvalidArgument", "Authorization header is invalid.")
    return None


# --- version 1


def _check_v1_header(asked: Asked, store: OssStore, header: str) -> OssAccount:
    access_key_id, _, signature = header.removeprefix("OSS ").partition(":")
    date = asked.headers.get("x-oss-date") or asked.headers.get("date", "")
    account = _account(store, access_key_id)
    try:
        _check_clock(account, parsedate_to_datetime(date).timestamp())
    except (ValueError, TypeError):
        raise OssError("AccessDenied", "OSS authentication requires a valid Date.") from None
    return _compare(account, _v1_text(asked, date), signature)


def _check_v1_url(asked: Asked, store: OssStore) -> OssAccount:
    account, expires = _account(store, asked.query.get("OSSAccessKeyId", "")), asked.query.get("Expires", "")
    if not expires.isdigit():
        raise OssError("AccessDenied", "Invalid date (should be seconds since epoch)")
    if account.now_s() > int(expires):
        raise OssError("AccessDenied", "Request has expired.", Expires=expires)
    return _compare(account, _v1_text(asked, expires), asked.query["Signature"])


def _v1_text(asked: Asked, date: str) -> str:
    own = sorted((name, value) for name, value in asked.headers.items() if name.startswith("x-oss-"))
    parameters = sorted((name, value) for name, value in asked.query.items() if name in _SUBRESOURCES)
    query = "&".join(f"{name}={value}" if value else name for name, value in parameters)
    resource = f"/{asked.bucket}/{asked.key}" if asked.bucket else "/"
    return "\n".join(
        [
            asked.method,
            asked.headers.get("content-md5", ""),
            asked.headers.get("content-type", ""),
            date,
            *(f"{name}:{value}" for name, value in own),
            resource + (f"?{query}" if query else ""),
        ]
    )


def _compare(account: OssAccount, text: str, signature: str) -> OssAccount:
    digest = hmac.digest(account.access_key_secret.encode(), text.encode(), hashlib.sha1)
    return _same(account, b64encode(digest).decode(), signature, text)


# --- version 4


def _check_v4_header(asked: Asked, store: OssStore, header: str) -> OssAccount:
    found = _V4_HEADER.fullmatch(header)
    if found is None:
        raise OssError("InvalidArgument", "Authorization header is invalid.")
    moment = asked.headers.get("x-oss-date", "")
    account = _account(store, found["credential"].partition("/")[0])
    _check_clock(account, _moment_s(moment))
    return _compare_v4(
        asked,
        account,
        credential=found["credential"],
        moment=moment,
        additional=(found["before"] or found["after"] or "").split(";"),
        signature=found["signature"],
    )


def _check_v4_url(asked: Asked, store: OssStore) -> OssAccount:
    moment, expires = asked.query.get("x-oss-date", ""), asked.query.get("x-oss-expires", "")
    began_s, credential = _moment_s(moment), asked.query.get("x-oss-credential", "")
    account = _account(store, credential.partition("/")[0])
    if not expires.isdigit() or not 1 <= int(expires) <= _LONGEST_V4_S:
        raise OssError("AccessDenied", "Invalid expires: it should be from 1 to 604800 seconds.")
    if account.now_s() > began_s + int(expires):
        raise OssError("AccessDenied", "Request has expired.")
    return _compare_v4(
        asked,
        account,
        credential=credential,
        moment=moment,
        additional=asked.query.get("x-oss-additional-headers", "").split(";"),
        signature=asked.query["x-oss-signature"],
    )


def _compare_v4(
    asked: Asked, account: OssAccount, *, credential: str, moment: str, additional: list[str], signature: str
) -> OssAccount:
    scope = credential.partition("/")[2]
    if scope != f"{moment[:8]}/{account.region}/oss/aliyun_v4_request":
        raise OssError("InvalidArgument", "Invalid signing region or date in the credential.", Credential=credential)
    canonical = _v4_canonical(asked, [name for name in additional if name])
    text = f"{_V4}\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"aliyun_v4{account.access_key_secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return _same(account, hmac.digest(key, text.encode(), hashlib.sha256).hex(), signature, text)


def _v4_canonical(asked: Asked, additional: list[str]) -> str:
    path = quote(f"/{asked.bucket}/{asked.key}" if asked.bucket else "/", safe="/-_.~")
    pairs = sorted((quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in asked.query.items())
    query = "&".join(f"{n}={v}" if v else n for n, v in pairs if n != "x-oss-signature")
    signed = {
        n: v for n, v in asked.headers.items() if n.startswith("x-oss-") or n in _ALWAYS_SIGNED or n in additional
    }
    headers = "".join(f"{name}:{value.strip()}\n" for name, value in sorted(signed.items()))
    payload = asked.headers.get("x-oss-content-sha256", "UNSIGNED-PAYLOAD")
    return "\n".join([asked.method, path, query, headers, ";".join(sorted(additional)), payload])


_ALWAYS_SIGNED: Final = ("content-type", "content-md5")


def _moment_s(text: str) -> float:
    try:
        return float(timegm(time.strptime(text, "%Y%m%dT%H%M%SZ")))
    except ValueError:
        raise OssError("AccessDenied", "x-oss-date must be like 20231203T121212Z.") from None


# --- both


def _account(store: OssStore, access_key_id: str) -> OssAccount:
    account = store.account(access_key_id)
    if account is None:
        message = "The OSS Access Key Id you provided does not exist in our records."
        raise OssError("InvalidAccessKeyId", message, OSSAccessKeyId=access_key_id)
    return account


def _check_clock(account: OssAccount, moment_s: float) -> None:
    if abs(account.now_s() - moment_s) > _SKEW_S:
        message = "The difference between the request time and the current time is too large."
        raise OssError("RequestTimeTooSkewed", message, MaxAllowedSkewMilliseconds=str(_SKEW_S * 1000))


def _same(account: OssAccount, expected: str, signature: str, text: str) -> OssAccount:
    if hmac.compare_digest(expected.encode(), signature.encode()):
        return account
    raise OssError(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided."
        " Check your key and signing method.",
        OSSAccessKeyId=account.access_key_id,
        SignatureProvided=signature,
        StringToSign=text,
    )

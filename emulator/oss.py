"""A double of the object storage service, on the emulator's own port.

How it works.  A request belongs to the storage service when it is signed for it, or names a bucket: as the first label
of its host (`recordings.oss-cn-beijing.aliyuncs.com`, what the SDK sends to a domain; reachable through the emulator as
an HTTP proxy) or as the first part of its path (`/recordings/audio/a.wav`, what it sends to an IP address).  Such a
request is answered before the other endpoints see it.  Who signed it is really checked (`oss_signature`), what may go
wrong is set per account (`oss_store.OssAccount`, posted to `/emulator/oss`), what came is in the journal under the
access key's id.
"""

from __future__ import annotations

import secrets
from typing import Final

import msgspec
from flask import Blueprint, Response, current_app, g, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import ClientDisconnected

from emulator import oss_objects, oss_parts
from emulator.calls import Call, ClientGone
from emulator.oss_errors import OssError
from emulator.oss_signature import Asked, authenticate
from emulator.oss_store import OssAccount, OssBucket, OssFault, OssStore

blueprint = Blueprint("oss", __name__)
_ACCOUNTS: Final = "/emulator/oss"
_TAKEN: Final = ("api", "api-ws", "compatible-mode", "emulator", "oss", "results")
_OPERATIONS: Final = {"PUT": "put", "POST": "multipart", "GET": "get", "HEAD": "head", "DELETE": "delete"}


@blueprint.record_once
def _open_store(state: BlueprintSetupState) -> None:
    state.app.extensions["oss"] = OssStore()


@blueprint.before_app_request
def answer() -> Response | None:
    """Answer a request to the storage service; None leaves it to the other endpoints."""
    store: OssStore = current_app.extensions["oss"]
    if request.path == _ACCOUNTS:
        return _set_account(store)
    asked = _read(store)
    if asked is None:
        return None
    g.oss_request_id = secrets.token_hex(12).upper()
    try:
        response = _serve(asked, store, request.get_data(cache=True))
    except ClientDisconnected as error:
        raise ClientGone("the client went away while it sent") from error
    except OssError as error:
        response = error.response()
    response.headers["x-oss-request-id"] = g.oss_request_id
    response.headers["x-oss-server-time"] = "1"
    return response


def _set_account(store: OssStore) -> Response:
    try:
        account = msgspec.json.decode(request.get_data(), type=OssAccount)
    except msgspec.DecodeError as error:
        return Response(f"This account is not possible: {error}\n", 400, content_type="text/plain")
    if account.bucket in _TAKEN:
        return Response(f"A bucket cannot be called {account.bucket!r} here.\n", 400, content_type="text/plain")
    store.set_account(account)
    return Response(msgspec.json.encode(account), content_type="application/json")


# --- what is asked


def _read(store: OssStore) -> Asked | None:
    """Return what is asked of the storage service, None for a request that is not its own."""
    first, _, rest = request.path.lstrip("/").partition("/")
    label, _, domain = request.host.partition(".")
    if domain.startswith("oss-") or (store.bucket(label) and not domain[:1].isdigit()):
        return _asked(label, request.path[1:])
    if request.host.startswith("oss-"):
        return _asked("", "")
    if store.bucket(first) or _is_signed_for_oss():
        return _asked(first, rest)
    return None


def _is_signed_for_oss() -> bool:
    header = request.headers.get("Authorization", "")
    is_signed = header.startswith(("OSS ", "OSS4-")) or "x-oss-signature" in request.args
    return is_signed or ("OSSAccessKeyId" in request.args and not request.path.startswith("/results/"))


def _asked(bucket: str, key: str) -> Asked:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Asked(method=request.method, bucket=bucket, key=key, query=request.args.to_dict(), headers=headers)


# --- the answer


def _serve(asked: Asked, store: OssStore, body: bytes) -> Response:
    account = authenticate(asked, store)
    bucket = store.bucket(asked.bucket)
    if bucket is None:
        raise OssError("NoSuchBucket", "The specified bucket does not exist.", BucketName=asked.bucket)
    _check_right(asked, bucket, account)
    operation = _operation(asked)
    call = Call(
        vendor=current_app.extensions["vendor"],
        key=bucket.account.access_key_id,
        endpoint=f"oss:{operation}",
        line=request.environ["werkzeug.socket"],
    )
    call.note("oss", method=asked.method, object=asked.key, size_bytes=len(body))
    _strike(bucket.next_fault(operation, is_late=False), call)
    response = _do(asked, bucket, body)
    _strike(bucket.next_fault(operation, is_late=True), call)
    return response


def _check_right(asked: Asked, bucket: OssBucket, account: OssAccount | None) -> None:
    """Raise AccessDenied unless the owner asks, or the object is for everyone."""
    if account is not None and account.access_key_id == bucket.account.access_key_id:
        return _check_host(asked, bucket)
    if account is not None:
        raise OssError("AccessDenied", "The bucket you access does not belong to you.")
    acl = bucket.account.acl
    if asked.method in ("GET", "HEAD") and asked.key:
        own = bucket.get(asked.key).acl
        acl = acl if own == "default" else own
    allowed = {"public-read": ("GET", "HEAD"), "public-read-write": ("GET", "HEAD", "PUT", "POST", "DELETE")}
    if asked.method not in allowed.get(acl, ()) or not asked.key:
        raise OssError("AccessDenied", "You have no right to access this object because of bucket acl.")
    return None


def _check_host(asked: Asked, bucket: OssBucket) -> None:
    """Raise AccessDenied when the domain names another region than the bucket's."""
    named = request.host.partition(".oss-")[2].partition(".")[0].removesuffix("-internal")
    if named and named != bucket.account.region:
        message = "The bucket you are attempting to access must be addressed using the specified endpoint."
        raise OssError("AccessDenied", message, Endpoint=f"oss-{bucket.account.region}.aliyuncs.com")


def _operation(asked: Asked) -> str:
    if not asked.key:
        return "list" if "list-type" in asked.query else "bucket"
    if "acl" in asked.query:
        return "acl"
    return "multipart" if {"uploads", "uploadId"} & asked.query.keys() else _OPERATIONS.get(asked.method, "any")


def _do(asked: Asked, bucket: OssBucket, body: bytes) -> Response:
    operation = _operation(asked)
    if operation == "multipart":
        return oss_parts.answer(asked, bucket, body)
    work = oss_objects.WORKS.get(operation)
    if work is None:
        raise OssError("NotImplemented", "A header or query you provided requests a function that is not implemented.")
    return work(asked, bucket, body)


def _strike(fault: OssFault | None, call: Call) -> None:
    """Do what a fault does. Raises: OssError for a status, ClientGone for a line that is cut."""
    if fault is None:
        return
    call.note("fault", fault=fault.kind)
    call.pause(600_000 if fault.kind == "stall" else fault.delay_ms)
    if fault.kind in ("cut", "reset"):
        raise call.hang_up(rudely=fault.kind == "reset")
    if fault.kind == "status":
        raise OssError(fault.code, fault.message, status=fault.status)

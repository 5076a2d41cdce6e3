"""Files the service keeps: results behind signed-looking links, and temporary uploads addressed as oss://.

An upload takes two steps as in the real service: ask for a policy with a key, then post a form without one.
"""

from __future__ import annotations

import hashlib
import secrets
import time
import uuid
from typing import Any, Final

from flask import Blueprint, Response, current_app, request

from emulator import faults
from emulator.calls import Call, Vendor
from emulator.errors import ApiError
from emulator.requests import call_of, json_response
from emulator.store import StoredFile

blueprint = Blueprint("files", __name__)
_KEPT_S: Final = 86400
_POLICY_S: Final = 300


def keep_result(vendor: Vendor, name: str, data: bytes, content_type: str) -> str:
    """Keep a result and return the link under which anyone can get it for a day."""
    path = f"{time.strftime('%Y%m%d')}/{uuid.uuid4()}/{name}"
    vendor.files.put(f"results/{path}", data, content_type)
    signature = secrets.token_urlsafe(16)
    return f"{vendor.url}/results/{path}?Expires={int(time.time()) + _KEPT_S}&OSSAccessKeyId=LTAI&Signature={signature}"


@blueprint.get("/results/<path:path>")
def result(path: str) -> Response:
    """Give out a result; no key is needed."""
    vendor: Vendor = current_app.extensions["vendor"]
    stored = vendor.files.get(f"results/{path}")
    if stored is None:
        return _oss_error(404, "NoSuchKey", "The specified key does not exist.")
    return _in_parts(stored)


def _in_parts(stored: StoredFile) -> Response:
    """Return a file, or the part of it that is asked for; a part that there is not is answered with the whole."""
    headers = {"Accept-Ranges": "bytes", "ETag": f'"{hashlib.md5(stored.data).hexdigest().upper()}"'}
    part = request.range.range_for_length(len(stored.data)) if request.range else None
    if part is None:
        return Response(stored.data, content_type=stored.content_type, headers=headers)
    headers["Content-Range"] = f"bytes {part[0]}-{part[1] - 1}/{len(stored.data)}"
    return Response(stored.data[slice(*part)], 206, content_type=stored.content_type, headers=headers)


@blueprint.get("/api/v1/uploads")
def policy() -> Response:
    """Give the permission to post one file."""
    call = call_of()
    if request.args.get("action") != "getPolicy" or not request.args.get("model"):
        raise ApiError("Field required: model")
    folder = f"dashscope-instant/{secrets.token_hex(16)}/{time.strftime('%Y-%m-%d')}/{uuid.uuid4()}"
    access_id = f"STS.{secrets.token_hex(12)}"
    call.vendor.uploaders.put(access_id, call.key)
    call.note("upload_policy", model=request.args["model"])
    return json_response({"data": _policy(call.vendor.url, folder, access_id), "request_id": call.request_id})


def _policy(url: str, folder: str, access_id: str) -> dict[str, Any]:
    return {
        "policy": secrets.token_urlsafe(48),
        "signature": secrets.token_urlsafe(20),
        "upload_dir": folder,
        "upload_host": f"{url}/oss",
        "expire_in_seconds": _POLICY_S,
        "max_file_size_mb": 1024,
        "capacity_limit_mb": 999999999,
        "oss_access_key_id": access_id,
        "x_oss_object_acl": "private",
        "x_oss_forbid_overwrite": "true",
    }


@blueprint.post("/oss")
@blueprint.post("/oss/")
def upload() -> Response:
    """Take the form with the file, as the bucket behind the service does."""
    vendor: Vendor = current_app.extensions["vendor"]
    uploader = vendor.uploaders.get(request.form.get("OSSAccessKeyId", ""))
    file, name = request.files.get("file"), request.form.get("key", "")
    if uploader is None or not request.form.get("policy") or not request.form.get("Signature"):
        return _oss_error(403, "AccessDenied", "The policy is missing or unknown.")
    if file is None or not name:
        return _oss_error(400, "InvalidArgument", "The form must hold key and file.")
    call = Call(vendor=vendor, key=uploader, endpoint=request.path, line=request.environ["werkzeug.socket"])
    try:
        faults.before_answer(call, "upload")
    except ApiError as error:
        return _oss_error(error.status, error.code, error.message)
    call.pause(call.scenario.latency.upload_ms)
    data = file.read()
    vendor.files.put(f"oss://{name}", data, file.mimetype)
    call.note("uploaded", object=name, size_bytes=len(data))
    return Response(status=int(request.form.get("success_action_status", "204")))


def _oss_error(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, status, content_type="application/xml")

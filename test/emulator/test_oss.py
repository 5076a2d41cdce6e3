"""The storage double: the vendor's SDK cannot tell it from the real service, and each refusal has the real code."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import oss2
import pytest
import requests
from oss2 import exceptions

from emulator import Emulator
from emulator.oss_store import crc64_of
from test.support.oss import OssAccount

DATA = bytes(range(256)) * 40


@pytest.fixture
def account(emulator: Emulator) -> OssAccount:
    made = OssAccount(emulator)
    made.set()
    return made


@pytest.fixture(params=["v1", "v4"])
def bucket(request: pytest.FixtureRequest, account: OssAccount) -> oss2.Bucket:
    return account.sdk(signature=request.param)


# --- the SDK, unmodified, with both signatures


def test_an_object_comes_back_as_it_was_put(bucket: oss2.Bucket) -> None:
    headers = {"Content-Type": "audio/wav", "x-oss-meta-turn": "7"}

    put = bucket.put_object("audio/2026/录音 #1+?&.wav", DATA, headers=headers)
    got = bucket.get_object("audio/2026/录音 #1+?&.wav")

    assert got.read() == DATA
    assert (got.headers["Content-Type"], got.headers["x-oss-meta-turn"]) == ("audio/wav", "7")
    assert put.etag == got.etag == hashlib.md5(DATA).hexdigest().upper()
    assert put.crc == got.server_crc == got.client_crc


def test_a_range_is_a_part_and_a_senseless_one_the_whole(bucket: oss2.Bucket) -> None:
    bucket.put_object("a", DATA)

    assert bucket.get_object("a", byte_range=(10, 19)).read() == DATA[10:20]
    assert bucket.get_object("a", byte_range=(None, 5)).read() == DATA[-5:]
    assert bucket.get_object("a", byte_range=(len(DATA) - 1, None)).read() == DATA[-1:]
    assert bucket.get_object("a", byte_range=(len(DATA), None)).read() == DATA


def test_head_tells_what_get_would_give(bucket: oss2.Bucket) -> None:
    bucket.put_object("a", DATA, headers={"Content-Type": "image/png"})

    head = bucket.head_object("a")

    assert (head.content_length, head.content_type, head.object_type) == (len(DATA), "image/png", "Normal")
    assert abs(head.last_modified - time.time()) < 60
    assert bucket.object_exists("a") and not bucket.object_exists("b")


def test_a_deleted_object_is_gone_and_deleting_it_again_is_harmless(bucket: oss2.Bucket) -> None:
    bucket.put_object("a", DATA)

    assert [bucket.delete_object("a").status, bucket.delete_object("a").status] == [204, 204]

    with pytest.raises(exceptions.NoSuchKey):
        bucket.get_object("a")


def test_a_signed_link_works_for_anyone_until_it_expires(bucket: oss2.Bucket, account: OssAccount) -> None:
    bucket.put_object("a b/c.wav", DATA)
    link = bucket.sign_url("GET", "a b/c.wav", 60, slash_safe=True)

    answer = requests.get(link, timeout=10)
    changed = requests.get(link.replace("c.wav", "d.wav"), timeout=10)
    account.set(clock_ahead_s=61)
    expired = requests.get(link, timeout=10)

    assert answer.content == DATA
    assert "SignatureDoesNotMatch" in changed.text
    assert (expired.status_code, "Request has expired" in expired.text) == (403, True)


def test_a_file_goes_up_in_parts_through_the_sdks_resumable_upload(bucket: oss2.Bucket, tmp_path: Path) -> None:
    file = tmp_path / "long.wav"
    file.write_bytes(DATA * 60)
    store = oss2.ResumableStore(root=str(tmp_path / "state"))

    oss2.resumable_upload(
        bucket, "long.wav", str(file), store=store, multipart_threshold=1, part_size=200 * 1024, num_threads=3
    )

    assert bucket.get_object("long.wav").read() == DATA * 60
    assert bucket.head_object("long.wav").object_type == "Multipart"


def test_parts_are_listed_and_an_aborted_upload_is_forgotten(bucket: oss2.Bucket) -> None:
    upload_id = bucket.init_multipart_upload("a").upload_id
    bucket.upload_part("a", upload_id, 2, DATA)
    bucket.upload_part("a", upload_id, 1, DATA)

    parts = bucket.list_parts("a", upload_id).parts
    bucket.abort_multipart_upload("a", upload_id)

    assert [(part.part_number, part.size) for part in parts] == [(1, len(DATA)), (2, len(DATA))]
    with pytest.raises(exceptions.NoSuchUpload):
        bucket.upload_part("a", upload_id, 1, DATA)


@pytest.mark.parametrize(
    ("numbers", "code"),
    [((2, 1), "InvalidPartOrder"), ((1, 2), "EntityTooSmall"), ((1, 3), "InvalidPart"), ((), "MalformedXML")],
)
def test_parts_that_make_no_object_are_refused(account: OssAccount, numbers: tuple[int, ...], code: str) -> None:
    bucket = account.sdk()
    upload_id = bucket.init_multipart_upload("a").upload_id
    etags = {number: bucket.upload_part("a", upload_id, number, DATA).etag for number in (1, 2)}
    parts = [oss2.models.PartInfo(number, etags.get(number, "A" * 32)) for number in numbers]
    link = bucket.sign_url("POST", "a", 60, params={"uploadId": upload_id})  # the SDK itself would sort the parts

    answer = requests.post(link, data=oss2.xml_utils.to_complete_upload_request(parts), timeout=10)

    assert f"<Code>{code}</Code>" in answer.text


def test_listing_goes_page_by_page_and_folds_at_the_delimiter(bucket: oss2.Bucket) -> None:
    for name in ("audio/1/a", "audio/1/b", "audio/2/c", "audio/z", "图/d"):
        bucket.put_object(name, name)

    everything = [entry.key for entry in oss2.ObjectIteratorV2(bucket, max_keys=2)]
    folded = bucket.list_objects_v2(prefix="audio/", delimiter="/")

    assert everything == ["audio/1/a", "audio/1/b", "audio/2/c", "audio/z", "图/d"]
    assert folded.prefix_list == ["audio/1/", "audio/2/"]
    assert [entry.key for entry in folded.object_list] == ["audio/z"]


def test_the_bucket_tells_about_itself(bucket: oss2.Bucket, account: OssAccount) -> None:
    info = bucket.get_bucket_info()

    assert (info.name, info.location, info.acl.grant) == (account.bucket_name, "oss-cn-beijing", "private")


def test_a_domain_names_the_bucket_as_the_real_service_has_it(account: OssAccount, emulator: Emulator) -> None:
    bucket = account.sdk(endpoint="http://oss-cn-beijing.aliyuncs.com", proxies={"http": emulator.url})

    bucket.put_object("a/b", DATA)

    assert account.objects() == {"a/b": DATA}
    elsewhere = account.sdk(endpoint="http://oss-cn-shanghai.aliyuncs.com", proxies={"http": emulator.url})
    with pytest.raises(exceptions.AccessDenied, match="must be addressed using the specified endpoint"):
        elsewhere.put_object("a/b", DATA)


# --- refusals


@pytest.mark.parametrize("signature", ["v1", "v4"])
def test_a_wrong_secret_a_wrong_id_and_a_wrong_bucket_are_told_apart(account: OssAccount, signature: str) -> None:
    stranger = OssAccount(account.emulator)

    for bucket, code in [
        (account.sdk(signature=signature, secret="wrong"), "SignatureDoesNotMatch"),
        (stranger.sdk(signature=signature, bucket=account.bucket_name), "InvalidAccessKeyId"),
        (account.sdk(signature=signature, bucket="no-such-bucket"), "NoSuchBucket"),
    ]:
        with pytest.raises(exceptions.ServerError) as caught:
            bucket.put_object("a", DATA)
        assert caught.value.code == code

    stranger.set()
    with pytest.raises(exceptions.AccessDenied, match="does not belong to you"):
        stranger.sdk(signature=signature, bucket=account.bucket_name).get_object("a")


def test_a_refused_head_carries_its_words_in_a_header(account: OssAccount) -> None:
    with pytest.raises(exceptions.SignatureDoesNotMatch):
        account.sdk(secret="wrong").head_object("a")


def test_version_4_is_bound_to_the_region(account: OssAccount) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        account.sdk(signature="v4", region="cn-shanghai").put_object("a", DATA)


def test_a_clock_that_is_wrong_by_a_quarter_hour_is_refused(
    account: OssAccount,
) -> None:
    account.set(clock_ahead_s=-16 * 60)

    for signature in ("v1", "v4"):
        with pytest.raises(exceptions.ServerError) as caught:
            account.sdk(signature=signature).put_object("a", DATA)
        assert caught.value.code == "RequestTimeTooSkewed"


def test_an_object_is_private_unless_its_rule_says_otherwise(account: OssAccount, emulator: Emulator) -> None:
    bucket, url = account.sdk(), f"{emulator.url}/{account.bucket_name}/a"
    bucket.put_object("a", DATA)

    private = requests.get(url, timeout=10)
    bucket.put_object_acl("a", oss2.OBJECT_ACL_PUBLIC_READ)
    public = requests.get(url, timeout=10)

    assert (private.status_code, "AccessDenied" in private.text, public.content) == (403, True, DATA)
    assert bucket.get_object_acl("a").acl == "public-read"
    assert requests.put(url, data=b"x", timeout=10).status_code == 403


def test_a_body_that_is_not_what_its_md5_says_is_refused(account: OssAccount) -> None:
    with pytest.raises(exceptions.InvalidDigest):
        account.sdk().put_object("a", DATA, headers={"Content-MD5": oss2.utils.content_md5(b"other")})

    assert account.objects() == {}


def test_a_name_is_not_taken_twice_when_overwriting_is_forbidden(account: OssAccount) -> None:
    account.sdk().put_object("a", b"one")

    with pytest.raises(exceptions.ServerError) as caught:
        account.sdk().put_object("a", b"two", headers={"x-oss-forbid-overwrite": "true"})

    assert (caught.value.code, account.objects()) == ("FileAlreadyExists", {"a": b"one"})


def test_what_is_too_large_or_too_much_is_refused_by_name(account: OssAccount) -> None:
    account.set(largest_bytes=100, capacity_bytes=150)
    account.sdk().put_object("a", b"x" * 100)

    for size, code in [(101, "EntityTooLarge"), (51, "QuotaExceeded")]:
        with pytest.raises(exceptions.ServerError) as caught:
            account.sdk().put_object("b", b"x" * size)
        assert caught.value.code == code


# --- faults


def test_a_scripted_status_strikes_once_and_only_its_operation(account: OssAccount) -> None:
    account.fail("status", operation="put", status=503, code="QpsLimitExceeded")
    bucket = account.sdk()

    with pytest.raises(exceptions.NoSuchKey):
        bucket.get_object("a")
    with pytest.raises(exceptions.ServerError, match="QpsLimitExceeded"):
        bucket.put_object("a", DATA)

    assert bucket.put_object("a", DATA).status == 200


@pytest.mark.parametrize(("is_late", "kept"), [(False, {}), (True, {"a": DATA})])
@pytest.mark.parametrize("kind", ["cut", "reset"])
def test_a_line_may_be_cut_before_the_work_or_after_it(
    account: OssAccount, kind: str, is_late: bool, kept: dict[str, bytes]
) -> None:
    account.fail(kind, operation="put", is_late=is_late)

    with pytest.raises(exceptions.RequestError):
        account.sdk().put_object("a", DATA)

    assert account.objects() == kept


def test_a_stalled_answer_lasts_as_long_as_the_client_waits(account: OssAccount) -> None:
    account.fail("stall", operation="put")

    with pytest.raises(exceptions.RequestError, match="timed out"):
        account.sdk(connect_timeout=(1, 0.2)).put_object("a", DATA)

    assert account.objects() == {}


def test_an_impossible_account_is_refused_with_the_reason(account: OssAccount, emulator: Emulator) -> None:
    def refused(**fields: object) -> str:
        body = {"access_key_id": "i", "access_key_secret": "s", "bucket": "b-1", **fields}
        answer = requests.post(f"{emulator.url}/emulator/oss", json=body, timeout=10)
        return answer.text if answer.status_code == 400 else ""

    assert "`colour`" in refused(colour="red")
    assert "'api'" in refused(bucket="api")


# --- the arithmetic, and the neighbours


def test_the_checksum_is_the_one_of_the_catalogue() -> None:
    assert crc64_of(b"123456789") == 0x995DC9BBDF1939FA  # CRC-64/XZ's check value
    assert crc64_of(b"") == 0


def test_the_other_endpoints_are_left_alone(emulator: Emulator, http: requests.Session, key: str) -> None:
    answers: dict[str, Callable[[], requests.Response]] = {
        "health": lambda: http.get(f"{emulator.url}/emulator/health", timeout=10),
        "models": lambda: http.get(f"{emulator.compatible_url}/models", timeout=10),
    }

    assert {name: ask().status_code for name, ask in answers.items()} == {"health": 200, "models": 200}

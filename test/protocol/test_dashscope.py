"""What the vendor sends, read; what its errors mean to us."""

import pytest

from protocol.dashscope import (
    Failure,
    RealtimeError,
    billed_characters,
    close_failure,
    is_no_speech,
    is_not_fetched,
    read_chunk,
    read_event,
    read_failure,
    read_recognition,
    read_speech,
    read_task,
    read_transcription,
    read_upload_policy,
    realtime_failure,
    renamed,
    result_url,
)
from protocol.dashscope.recognition import read_recognition_event
from protocol.errors import (
    UpstreamBroken,
    UpstreamBusy,
    UpstreamError,
    UpstreamForbidden,
    UpstreamNotFound,
    UpstreamQuota,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnauthorized,
    UpstreamUnavailable,
)
from protocol.texts import join_texts
from protocol.transcription import Tokens

# --- failures ----------------------------------------------------------------------------------------------------

SHAPES = {
    "gateway": b'{"error":{"message":"no","type":"t","param":null,"code":"c"},"request_id":"r1"}',
    "model service": b'{"error":{"code":"c","message":"no","type":"t"},"id":"chatcmpl-r1","request_id":"r1"}',
    "without a request id": b'{"error":{"code":"c","message":"no"},"id":"chatcmpl-r1"}',
    "as an event": b'data: {"error":{"code":"c","message":"no"},"id":"chatcmpl-r1","request_id":"r1"}\n\n',
    "as an event without a space": b'data:{"error":{"code":"c","message":"no"},"request_id":"r1"}',
    "an object in a string": rb'{"error":"{\"code\":\"c\",\"message\":\"no\"}","request_id":"r1"}',
    "native": b'{"code":"c","message":"no","request_id":"r1"}',
    "by its type only": b'{"error":{"message":"no","type":"c","code":null},"request_id":"r1"}',
}


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES.keys())
def test_every_shape_of_an_error_is_read(body: bytes) -> None:
    assert read_failure(status=400, body=body) == Failure(status=400, code="c", message="no", request_id="r1")


@pytest.mark.parametrize(
    "body", [b"<html><h1>502 Bad Gateway</h1></html>", b"", b"[1]", b'{"error":"not json"}', b"\xff\xfe"]
)
def test_what_is_no_error_body_is_quoted(body: bytes) -> None:
    failure = read_failure(status=502, body=body)

    assert (failure.status, failure.code) == (502, "")
    assert failure.message == body.decode("utf-8", "replace")


def test_a_long_page_is_quoted_from_its_beginning() -> None:
    assert len(read_failure(status=502, body=b"<p>" * 1000).message) == 200


NAMES = [
    (401, "InvalidApiKey", "", UpstreamUnauthorized),
    (401, "", "", UpstreamUnauthorized),
    (400, "Arrearage", "", UpstreamQuota),
    (403, "AccessDenied.Unpurchased", "", UpstreamForbidden),
    (403, "Endpoint.AccessDenied", "", UpstreamForbidden),
    (400, "AllocationQuota.FreeTierOnly", "", UpstreamQuota),
    (429, "insufficient_quota", "Allocated quota exceeded", UpstreamQuota),
    (429, "Throttling.AllocationQuota", "", UpstreamQuota),
    (429, "Throttling.RateQuota", "", UpstreamBusy),
    (400, "Throttling.RateQuota", "", UpstreamBusy),
    (400, "limit_requests", "", UpstreamBusy),
    (500, "ModelServingError", "Too many requests. Your requests are being throttled", UpstreamBusy),
    (429, "", "", UpstreamBusy),
    (400, "InvalidParameter", "Range of input length should be [1, 6000]", UpstreamRefused),
    (404, "ModelNotFound", "", UpstreamNotFound),
    (400, "InvalidParameter", "Model not exist.", UpstreamNotFound),
    (500, "RequestTimeOut", "", UpstreamTimeout),
    (504, "", "", UpstreamTimeout),
    (400, "data_inspection_failed", "", UpstreamRefused),
    (500, "InternalError", "", UpstreamBroken),
    (400, "InternalError", "An internal error has occured", UpstreamBroken),
    (400, "internal_error", "", UpstreamBroken),
    (400, "InternalError.Algo.InvalidParameter", "", UpstreamRefused),
    (503, "ModelUnavailable", "", UpstreamUnavailable),
    (502, "", "<html>", UpstreamBroken),
]


@pytest.mark.parametrize(("status", "code", "message", "kind"), NAMES)
def test_the_code_decides_before_the_status(status: int, code: str, message: str, kind: type[UpstreamError]) -> None:
    error = renamed(Failure(status=status, code=code, message=message, request_id="r1"))

    assert type(error) is kind
    assert (error.vendor_code, error.request_id) == (code, "r1")


def test_an_error_without_words_tells_its_status() -> None:
    assert renamed(Failure(status=503, code="", message="")).message.endswith("HTTP 503")


# --- chat --------------------------------------------------------------------------------------------------------


def test_a_chunk_without_choices_carries_the_usage() -> None:
    chunk = read_chunk(b'{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}')

    assert chunk.choices == []
    assert chunk.usage is not None
    assert chunk.usage.total_tokens == 3


@pytest.mark.parametrize(
    "data",
    [b'{"error":{"code":"limit_requests","message":"slow"}}', b'{"code":"Throttling","message":"slow"}'],
    ids=["compatible", "native"],
)
def test_an_error_in_the_stream_is_raised(data: bytes) -> None:
    with pytest.raises(UpstreamBusy, match="slow"):
        read_chunk(data)


@pytest.mark.parametrize("data", [b'{"choices":[{"del', b"", b'{"choices":7}', b"\xff"])
def test_a_chunk_that_is_no_json_is_malformed(data: bytes) -> None:
    with pytest.raises(UpstreamBroken) as caught:
        read_chunk(data)

    assert caught.value.code == "upstream_malformed"


# --- realtime ----------------------------------------------------------------------------------------------------


def test_sound_is_decoded() -> None:
    assert read_event(b'{"type":"response.audio.delta","delta":"AAEC","event_id":"e"}').delta == b"\x00\x01\x02"


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"response.text.delta","delta":"no base64 at all"}',
        b'{"type":"x","session":7}',
        b'{"type":"x","error":"a string"}',
    ],
)
def test_of_an_event_of_another_shape_the_type_is_read(data: bytes) -> None:
    assert read_event(data).type in ("response.text.delta", "x")


@pytest.mark.parametrize(
    "data",
    [
        b'{"type":"response.audio.delta","delta":"%%%"}',
        b'{"type":"conversation.item.input_audio_transcription.completed","transcript":7}',
        b'{"type":"response.audio.de',
        b"[1]",
        b'{"type":7}',
        b"\xff\xff",
    ],
)
def test_sound_or_text_that_cannot_be_read_is_never_lost_in_silence(data: bytes) -> None:
    with pytest.raises(UpstreamBroken) as caught:
        read_event(data)

    assert caught.value.code == "upstream_malformed"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RealtimeError(type="invalid_request_error", message="Voice 'x' is not supported."), UpstreamRefused),
        (RealtimeError(code="invalid_value", message="Session update error"), UpstreamRefused),
        (RealtimeError(code="InternalError", message="Internal service error: null"), UpstreamBroken),
        (RealtimeError(code=1011, message="?"), UpstreamBroken),
        (RealtimeError(type="server_error"), UpstreamBroken),
        (None, UpstreamBroken),
    ],
)
def test_an_error_event_is_renamed(error: RealtimeError | None, kind: type[UpstreamError]) -> None:
    assert type(realtime_failure(error)) is kind


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (1007, "Model not found", UpstreamNotFound),
        (1007, "", UpstreamNotFound),
        (1007, "The free tier of the model has been exhausted.", UpstreamQuota),
        (1011, "Too many requests. Your requests are being throttled due to system capacity limits.", UpstreamBusy),
        (1011, "To many requests", UpstreamBusy),
        (1011, "Internal service error: null", UpstreamBroken),
        (1000, "", UpstreamBroken),
        (1005, "", UpstreamBroken),
    ],
)
def test_a_close_code_is_renamed(code: int, reason: str, kind: type[UpstreamError]) -> None:
    assert type(close_failure(code, reason)) is kind


# --- recognition -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (["今天天气怎么样？", "我们去公园吧。"], "今天天气怎么样？我们去公园吧。"),
        (["Hello.", "How are you?"], "Hello. How are you?"),
        (["你好", "OK", "好"], "你好OK好"),
        (["a", "好", "b"], "a好b"),
        (["안녕", "하세요"], "안녕 하세요"),
        (["こんにちは", "カナ"], "こんにちはカナ"),
        ([" one ", "", "  ", "two\n"], "one two"),
        ([], ""),
    ],
)
def test_texts_are_joined_as_their_script_wants(texts: list[str], joined: str) -> None:
    assert join_texts(texts) == joined


def test_silence_is_an_empty_content() -> None:
    assert read_recognition(b'{"output":{"choices":[{"message":{"content":[]}}]}}').text == ""


@pytest.mark.parametrize(
    ("code", "message"), [("SUCCESS_WITH_NO_VALID_FRAGMENT", ""), ("CLIENT_ERROR", "ASR_RESPONSE_HAVE_NO_WORDS")]
)
def test_an_error_that_only_says_silence_is_known(code: str, message: str) -> None:
    assert is_no_speech(renamed(Failure(status=400, code=code, message=message)))
    assert not is_no_speech(renamed(Failure(status=400, code="InvalidFile.Format", message="broken")))


TASK = '{"output":{"task_id":"t","task_status":"%s"%s},"request_id":"r1"}'


@pytest.mark.parametrize(
    ("status", "is_running"), [("PENDING", True), ("RUNNING", True), ("SUCCEEDED", False), ("UNKNOWN", False)]
)
def test_a_task_that_ended_is_told_from_one_that_runs(status: str, is_running: bool) -> None:
    assert read_task((TASK % (status, "")).encode()).is_running is is_running


@pytest.mark.parametrize(
    "fields",
    [
        ',"result":{"transcription_url":"http://x/1.json"}',
        ',"results":[{"code":"c"},{"subtask_status":"SUCCEEDED","transcription_url":"http://x/1.json"}]',
    ],
    ids=["filetrans", "paraformer"],
)
def test_the_transcript_is_where_the_good_file_says(fields: str) -> None:
    assert result_url(read_task((TASK % ("SUCCEEDED", fields)).encode())) == "http://x/1.json"


@pytest.mark.parametrize(
    ("status", "fields", "code", "kind"),
    [
        ("FAILED", ',"code":"FILE_403_FORBIDDEN","message":"no"', "FILE_403_FORBIDDEN", UpstreamRefused),
        ("FAILED", ',"results":[{"code":"InvalidFile.DownloadFailed"}]', "InvalidFile.DownloadFailed", UpstreamRefused),
        ("FAILED", ',"code":"InternalError","message":"oops"', "InternalError", UpstreamBroken),
        ("CANCELED", "", "CANCELED", UpstreamBroken),
        ("UNKNOWN", "", "UNKNOWN", UpstreamBroken),
        ("SUCCEEDED", ',"results":[]', "SUCCEEDED", UpstreamBroken),
    ],
)
def test_a_task_without_a_transcript_is_an_error(
    status: str, fields: str, code: str, kind: type[UpstreamError]
) -> None:
    with pytest.raises(kind) as caught:
        result_url(read_task((TASK % (status, fields)).encode()))

    assert (type(caught.value), caught.value.vendor_code, caught.value.request_id) == (kind, code, "r1")


@pytest.mark.parametrize(
    "code", ["InvalidFile.DownloadFailed", "FILE_403_FORBIDDEN", "FILE_404_NOT_FOUND", "FILE_DOWNLOAD_FAILED"]
)
def test_a_file_that_the_vendor_could_not_fetch_is_known(code: str) -> None:
    assert is_not_fetched(renamed(Failure(status=400, code=code, message="")))
    assert not is_not_fetched(renamed(Failure(status=400, code="InvalidFile.Format", message="")))


def test_the_channels_of_a_transcript_are_joined() -> None:
    body = '{"transcripts":[{"text":"你好。","sentences":[{"language":"zh"}]},{"text":"再见。"}]}'

    transcription = read_transcription(body.encode())

    assert (transcription.text, transcription.language) == ("你好。再见。", "zh")


TIMED = """{"properties":{"original_duration_in_milliseconds":3834},"transcripts":[
{"channel_id":1,"text":"Hello world, 你好。","sentences":[
{"begin_time":2100,"end_time":3820,"text":"Hello world, 你好。","speaker_id":1,"words":[
{"begin_time":2100,"end_time":2596,"text":"Hello ","punctuation":""},
{"begin_time":2596,"end_time":2500,"text":"world","punctuation":", "}]}]},
{"channel_id":0,"text":"Yes.","sentences":[{"begin_time":-5,"end_time":900.5,"text":" Yes. ","words":null}]}]}"""


def test_sentences_of_all_channels_come_in_the_order_of_their_times() -> None:
    told = read_transcription(TIMED.encode())

    yes, hello = told.sentences
    assert (yes.text, yes.begin_s, yes.end_s, yes.speaker, yes.words) == ("Yes.", 0.0, 0.9005, None, ())
    assert (hello.begin_s, hello.end_s, hello.speaker) == (2.1, 3.82, 1)
    assert [(w.text, w.punctuation, w.begin_s, w.end_s) for w in hello.words] == [
        ("Hello ", "", 2.1, 2.596),
        ("world", ", ", 2.596, 2.596),
    ]
    assert told.duration_s == 3.834


def test_a_transcript_without_a_length_ends_with_its_last_sentence() -> None:
    told = read_transcription(b'{"transcripts":[{"sentences":[{"end_time":1500}]},{"text":"x"}]}')

    assert told.duration_s == 1.5


EVENT = '{"output":{"choices":[{"finish_reason":%s,"message":{"content":[{"text":" a "},{"text":"b"}]}}]},"usage":%s}'


@pytest.mark.parametrize(("reason", "is_last"), [("null", False), ('"null"', False), ('"stop"', True)])
def test_a_piece_of_recognition_keeps_its_spaces(reason: str, is_last: bool) -> None:
    event = read_recognition_event((EVENT % (reason, "null")).encode())

    assert (event.delta, event.is_last, event.tokens) == (" a b", is_last, None)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ('{"seconds":1,"output_tokens_details":{"text_tokens":6}}', None),
        ('{"duration":15,"input_tokens":238,"output_tokens":80}', Tokens(input=238, output=80, audio=238)),
    ],
)
def test_a_recognition_costs_tokens_when_the_model_counts_them(usage: str, tokens: Tokens | None) -> None:
    assert read_recognition_event((EVENT % ('"stop"', usage)).encode()).tokens == tokens


def test_an_error_within_a_recognition_is_an_error() -> None:
    with pytest.raises(UpstreamBusy) as caught:
        read_recognition_event(b'{"code":"Throttling","message":"slow down","request_id":"r"}')

    assert caught.value.request_id == "r"


def test_the_form_of_an_upload_has_the_buckets_order() -> None:
    policy = read_upload_policy(
        b'{"data":{"policy":"p","signature":"s","upload_dir":"dir","upload_host":"http://h","oss_access_key_id":"id"}}'
    )

    form = policy.form("a.wav", content_type="audio/wav")

    assert list(form) == [
        "OSSAccessKeyId", "Signature", "policy", "key", "x-oss-object-acl", "x-oss-forbid-overwrite",
        "success_action_status", "x-oss-content-type",
    ]  # fmt: skip
    assert form["key"] == "dir/a.wav"


@pytest.mark.parametrize("read", [read_task, read_transcription, read_upload_policy, read_recognition])
def test_a_body_that_cannot_be_read_is_malformed(read: object) -> None:
    with pytest.raises(UpstreamBroken):
        read(b'{"output":')  # type: ignore[operator]


# --- synthesis ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), ("abc", 3), ("今天天气不错。", 13), ("Hi，你好", 7), ("𠀀", 2), ("ア한", 2)]
)
def test_a_han_character_counts_twice(text: str, count: int) -> None:
    assert billed_characters(text) == count


def test_a_piece_of_speech_is_decoded() -> None:
    event = read_speech(
        b'{"output":{"finish_reason":"null","audio":{"data":"AAE=","id":"a"}},"usage":{"characters":3},"request_id":"r"}'
    )

    assert (event.pcm, event.is_last, event.usage.characters) == (b"\x00\x01", False, 3)
    assert event.request_id == "r"


def test_an_error_event_of_speech_is_raised() -> None:
    with pytest.raises(UpstreamRefused) as caught:
        read_speech(b'{"code":"InvalidParameter","message":"bad voice","request_id":"r1"}')

    assert (caught.value.vendor_code, caught.value.request_id) == ("InvalidParameter", "r1")

"""Recognition over HTTP: in one call, and as a task on a file. Source: DashScope HTTP reference §3.2, §3.6, §4."""

import re
from typing import TypeVar

import msgspec

from protocol.dashscope.failures import Failure, malformed, renamed
from protocol.errors import UpstreamError
from protocol.texts import join_texts
from protocol.transcription import Sentence, Tokens, Word

_Body = TypeVar("_Body")

# --- recognition in one call -------------------------------------------------------------------------------------


class TextPart(msgspec.Struct, frozen=True):
    text: str = ""


class Annotation(msgspec.Struct, frozen=True):
    language: str = ""


class RecognisedMessage(msgspec.Struct, frozen=True):
    content: list[TextPart] = []
    annotations: list[Annotation] = []


class RecognisedChoice(msgspec.Struct, frozen=True):
    message: RecognisedMessage = RecognisedMessage()
    finish_reason: str | None = None


class RecognisedOutput(msgspec.Struct, frozen=True):
    choices: list[RecognisedChoice] = []


class RecognitionCount(msgspec.Struct, frozen=True):
    """What a call cost; `qwen3-asr-flash` counts seconds, newer models tokens too."""

    input_tokens: int | None = None
    output_tokens: int | None = None


class RecognitionBody(msgspec.Struct, frozen=True):
    """The native answer of `qwen3-asr-flash`, or one event of its stream; silence is an empty `content`.

    An error within a stream comes with HTTP 200 and has `code` and `message` in place of the output.
    """

    output: RecognisedOutput = RecognisedOutput()
    usage: RecognitionCount | None = None
    code: str | None = None
    message: str | None = None
    request_id: str = ""

    @property
    def text(self) -> str:
        return join_texts(part.text for choice in self.output.choices for part in choice.message.content)

    @property
    def language(self) -> str:
        return next((a.language for choice in self.output.choices for a in choice.message.annotations), "")

    @property
    def delta(self) -> str:
        """The text of one event, its spaces kept."""
        return "".join(part.text for choice in self.output.choices for part in choice.message.content)

    @property
    def is_last(self) -> bool:
        return any(choice.finish_reason not in (None, "", "null") for choice in self.output.choices)

    @property
    def tokens(self) -> Tokens | None:
        """What it cost in tokens, when the model counts them."""
        if not self.usage or self.usage.input_tokens is None or self.usage.output_tokens is None:
            return None
        return Tokens(input=self.usage.input_tokens, output=self.usage.output_tokens, audio=self.usage.input_tokens)


def read_recognition(body: bytes) -> RecognitionBody:
    """Raises: UpstreamBroken."""
    return _read(body, RecognitionBody)


def read_recognition_event(data: bytes) -> RecognitionBody:
    """Raises: UpstreamBroken, UpstreamError for an error within the stream."""
    event = read_recognition(data)
    if event.code:
        raise renamed(Failure(status=400, code=event.code, message=event.message or "", request_id=event.request_id))
    return event


# --- recognition of a file, as a task ----------------------------------------------------------------------------

_NO_SPEECH = ("SUCCESS_WITH_NO_VALID_FRAGMENT", "ASR_RESPONSE_HAVE_NO_WORDS")
_NOT_FETCHED = re.compile(r"InvalidFile\.DownloadFailed|FILE_\w*(403|404|DOWNLOAD)", re.IGNORECASE)


def is_no_speech(error: UpstreamError) -> bool:
    """Whether the vendor's "error" only says that nobody spoke; some models say it as the code, some as the message."""
    return any(words in f"{error.vendor_code} {error.message}" for words in _NO_SPEECH)


def is_not_fetched(error: UpstreamError) -> bool:
    """Whether the vendor could not read the recording at the address it was given."""
    return bool(_NOT_FETCHED.search(error.vendor_code))


class SubtaskResult(msgspec.Struct, frozen=True):
    """What became of one file. Which of the fields are there depends on the model, not only on success."""

    transcription_url: str = ""
    code: str = ""
    message: str = ""


class TaskOutput(msgspec.Struct, frozen=True):
    """`*-filetrans` answers with `result`, all others with `results`; a task that failed has the code itself."""

    task_status: str
    result: SubtaskResult | None = None
    results: list[SubtaskResult] = []
    code: str = ""
    message: str = ""


class TaskBody(msgspec.Struct, frozen=True):
    output: TaskOutput
    request_id: str = ""

    @property
    def is_running(self) -> bool:
        return self.output.task_status in ("PENDING", "RUNNING", "SUSPENDED")


def read_task(body: bytes) -> TaskBody:
    """Raises: UpstreamBroken."""
    return _read(body, TaskBody)


def result_url(task: TaskBody) -> str:
    """Return where the transcript of a task that ended can be read. Raises: UpstreamError when there is none.

    A task is `SUCCEEDED` as soon as one of its files is, so each file's own outcome counts.
    """
    output = task.output
    files = [output.result] if output.result else output.results
    for file in files:
        if file.transcription_url:
            return file.transcription_url
    told = next((file for file in files if file.code), output)
    code = told.code or output.task_status
    status = 400 if told.code else 502
    raise renamed(Failure(status=status, code=code, message=told.message, request_id=task.request_id))


class FileWord(msgspec.Struct, frozen=True):
    begin_time: float = 0
    end_time: float = 0
    text: str = ""
    punctuation: str | None = None


class FileSentence(msgspec.Struct, frozen=True):
    """Times in ms. Only `*-filetrans` tells the language, only a task that was asked to tells the speaker."""

    begin_time: float = 0
    end_time: float = 0
    text: str = ""
    language: str | None = None
    speaker_id: int | None = None
    words: list[FileWord] | None = None


class FileTranscript(msgspec.Struct, frozen=True):
    text: str = ""
    sentences: list[FileSentence] = []


class FileProperties(msgspec.Struct, frozen=True):
    original_duration_in_milliseconds: int | None = None


class FileTranscription(msgspec.Struct, frozen=True):
    """The file at the result's address: one transcript for each channel of the recording."""

    transcripts: list[FileTranscript] = []
    properties: FileProperties | None = None

    @property
    def text(self) -> str:
        return join_texts(transcript.text for transcript in self.transcripts)

    @property
    def language(self) -> str:
        """The first sentence's; only `*-filetrans` tells it."""
        return next((s.language for t in self.transcripts for s in t.sentences if s.language), "")

    @property
    def duration_s(self) -> float:
        """The file's length where it is told, else the end of the last sentence."""
        if self.properties and self.properties.original_duration_in_milliseconds:
            return self.properties.original_duration_in_milliseconds / 1000
        return max((s.end_time / 1000 for t in self.transcripts for s in t.sentences), default=0.0)

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Of all channels, in the order of their beginnings."""
        found = [_sentence(s) for t in self.transcripts for s in t.sentences]
        return tuple(sorted(found, key=lambda sentence: sentence.begin_s))


def _sentence(told: FileSentence) -> Sentence:
    begin_s, end_s = _span(told)
    words = []
    for word in told.words or ():
        begins_s, ends_s = _span(word)
        words.append(Word(text=word.text, punctuation=word.punctuation or "", begin_s=begins_s, end_s=ends_s))
    return Sentence(text=told.text.strip(), begin_s=begin_s, end_s=end_s, speaker=told.speaker_id, words=tuple(words))


def _span(told: FileSentence | FileWord) -> tuple[float, float]:
    """Return when something begins and ends, in seconds, in this order whatever was told."""
    begin_s = max(0.0, told.begin_time / 1000)
    return begin_s, max(begin_s, told.end_time / 1000)


def read_transcription(body: bytes) -> FileTranscription:
    """Raises: UpstreamBroken."""
    return _read(body, FileTranscription)


# --- temporary upload --------------------------------------------------------------------------------------------


class UploadPolicy(msgspec.Struct, frozen=True):
    """The vendor's permission to put one file into its bucket, where it lives for 48 hours."""

    policy: str
    signature: str
    upload_dir: str
    upload_host: str
    oss_access_key_id: str
    x_oss_object_acl: str = "private"
    x_oss_forbid_overwrite: str = "true"

    def form(self, name: str, *, content_type: str) -> dict[str, str]:
        """Return the fields to post before the file, in the order that the bucket wants."""
        return {
            "OSSAccessKeyId": self.oss_access_key_id,
            "Signature": self.signature,
            "policy": self.policy,
            "key": f"{self.upload_dir}/{name}",
            "x-oss-object-acl": self.x_oss_object_acl,
            "x-oss-forbid-overwrite": self.x_oss_forbid_overwrite,
            "success_action_status": "200",
            "x-oss-content-type": content_type,
        }


class _UploadPolicyBody(msgspec.Struct, frozen=True):
    data: UploadPolicy


def read_upload_policy(body: bytes) -> UploadPolicy:
    """Raises: UpstreamBroken."""
    return _read(body, _UploadPolicyBody).data


def _read(body: bytes, kind: type[_Body]) -> _Body:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise malformed("识别服务的回复无法解析，请重试。") from error

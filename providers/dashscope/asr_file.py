"""Recognition of a file behind an address, as an asynchronous task: submit, ask until it is done, fetch the transcript.

How it works.  The vendor fetches the recording itself. Our own signed link serves when the operator says that the
world can reach it; else, or when the vendor could not read it (the recording is stored beside the turn and may come a
moment later), the recording goes into the vendor's temporary storage first.

Who sends what.  The vendor's SDK words the submission, which differs between the families of models. All bytes travel
over our transport, the submission's too (`sdk.py`): there they have a key per call, our deadlines and our errors, and
a stopped turn leaves at once. The other three calls are ours altogether, for the SDK's cannot be stopped: its `fetch`
waits up to 300 s and opens a connection for each question, its upload wants a file on disk and waits up to an hour.
Importing the SDK costs 0.35 s and 45 MB, so only a server that uses such a model does it, when it starts.

Source: DashScope HTTP reference §3.2 (upload), §3.6 (tasks), §4.3, §4.4; SDK 2.0.2.
"""

import io
import logging
from collections.abc import Callable
from typing import Final

from protocol.dashscope import (
    is_no_speech,
    is_not_fetched,
    read_task,
    read_transcription,
    result_url,
)
from protocol.errors import BadInput, UpstreamError
from protocol.keys import ApiKey
from protocol.transcription import Transcription
from providers.dashscope.tasks import Tasks
from providers.dashscope.temporary_upload import Upload, upload
from providers.dashscope.transport import Transport
from services.ports import Cancel, HearingOptions, Link, Recording, SoundFile, Transcript

_log = logging.getLogger(__name__)


class FileRecogniser:
    """`paraformer-v2`, `fun-asr`, `*-filetrans`. Threads: any."""

    kind: Final = "file"
    is_live: Final = False

    def __init__(
        self, transport: Transport, *, base_url: str, model: str, has_public_urls: bool = False, task_s: float = 300.0
    ) -> None:
        self._transport, self.model = transport, model
        self._base_url, self.reads_link = base_url, has_public_urls
        self._tasks = Tasks(transport, base_url=base_url, limit_s=task_s)
        from providers.dashscope import sdk  # late, and when the server starts: see above

        self._sdk = sdk

    @property
    def tells_speakers(self) -> bool:
        return "filetrans" not in self.model

    def transcribe(self, recording: Recording, *, key: ApiKey, cancel: Cancel) -> Transcript:
        """Return the text, empty for silence. Raises: UpstreamError, Cancelled."""
        heard = self._heard(lambda: self._read(recording, key, cancel))
        return Transcript(text=heard.text, language=heard.language)

    def transcribe_file(
        self, sound: SoundFile | Link, *, options: HearingOptions, key: ApiKey, cancel: Cancel
    ) -> Transcription:
        """Return the text and its times, no sentence for silence. Raises: BadInput, UpstreamError, Cancelled."""
        parameters = self._parameters(options)

        def recognise() -> Transcription:
            url = sound.url if isinstance(sound, Link) else self._upload(sound, key, cancel)
            return self._recognise(url, key, cancel, **parameters)

        return self._heard(recognise)

    def _heard(self, recognise: Callable[[], Transcription]) -> Transcription:
        try:
            return recognise()
        except UpstreamError as error:
            if is_no_speech(error):
                return Transcription(text="", request_id=error.request_id)
            raise

    def _parameters(self, options: HearingOptions) -> dict[str, object]:
        """Return the options in the words of the model's family. Raises: BadInput for one that it has no word for."""
        if "filetrans" in self.model:
            language = {"language": options.language} if options.language else {}
            corpus = {"corpus": {"text": options.context}} if options.context else {}
            return {"enable_words": True, "enable_itn": False, **language, **corpus}
        if options.context:
            raise BadInput(f"The model {self.model!r} takes no prompt.", code="unsupported_value", param="prompt")
        hints = {"language_hints": list(options.languages)} if options.languages else {}
        aligned = {"timestamp_alignment_enabled": True} if self.model.startswith("paraformer") else {}
        voices = {"diarization_enabled": True} if options.with_speakers else {}
        count = {"speaker_count": options.speakers} if options.with_speakers and options.speakers > 1 else {}
        return {**hints, **aligned, **voices, **count}

    def _read(self, recording: Recording, key: ApiKey, cancel: Cancel) -> Transcription:
        if self.reads_link:
            try:
                return self._recognise(recording.url, key, cancel)
            except UpstreamError as error:
                if not is_not_fetched(error):
                    raise
                _log.warning("the vendor could not fetch a recording (%s), it gets it uploaded", error.vendor_code)
        data = recording.data
        sound = SoundFile(file=io.BytesIO(data), size_bytes=len(data), container=recording.container)
        return self._recognise(self._upload(sound, key, cancel), key, cancel)

    def _upload(self, sound: SoundFile, key: ApiKey, cancel: Cancel) -> str:
        kind = sound.container
        sent = Upload(
            file=sound.file,
            size_bytes=sound.size_bytes,
            name=f"recording.{kind.name}",
            content_type=kind.content_type,
        )
        return upload(self._transport, sent, model=self.model, base_url=self._base_url, key=key, cancel=cancel)

    def _recognise(self, url: str, key: ApiKey, cancel: Cancel, **parameters: object) -> Transcription:
        task_id = self._sdk.submit_transcription(
            self._transport,
            url,
            model=self.model,
            base_url=self._base_url,
            key=key,
            cancel=cancel,
            parameters=parameters,
        )
        try:
            return self._result(task_id, key, cancel)
        except UpstreamError as error:
            error.is_spent = True
            raise

    def _result(self, task_id: str, key: ApiKey, cancel: Cancel) -> Transcription:
        task = self._tasks.wait(task_id, read_task, key=key, cancel=cancel)
        told = read_transcription(self._get(result_url(task), {}, cancel))
        return Transcription(
            text=told.text,
            language=told.language,
            duration_s=told.duration_s,
            sentences=told.sentences,
            request_id=task.request_id,
        )

    def _get(self, url: str, headers: dict[str, str], cancel: Cancel) -> bytes:
        with self._transport.call("GET", url, headers=headers, cancel=cancel) as response:
            return response.read()

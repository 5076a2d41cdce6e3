"""A walk through the vendor's own SDK, run as a program so that any release of it can be on the path.

    python dashscope_walk.py NATIVE_URL WEBSOCKET_URL KEY FOLDER   →  one JSON object: step → result

The SDK is used as its documentation shows; nothing of it is replaced.
"""

import base64
import json
import sys
import threading
import urllib.request
import wave
from collections.abc import Callable
from pathlib import Path

import dashscope
from dashscope import Generation, ImageSynthesis, MultiModalConversation, VideoSynthesis
from dashscope.audio.asr import Transcription
from dashscope.audio.qwen_omni import MultiModality, OmniRealtimeCallback, OmniRealtimeConversation
from dashscope.audio.qwen_omni.omni_realtime import TranscriptionParams
from dashscope.audio.qwen_tts_realtime import AudioFormat, QwenTtsRealtime, QwenTtsRealtimeCallback
from dashscope.common.error import UploadFileException
from dashscope.utils.oss_utils import OssUtils

NATIVE_URL, WEBSOCKET_URL, KEY, FOLDER = sys.argv[1:5]
SOUND, DRAWING = Path(FOLDER) / "question.wav", Path(FOLDER) / "drawing.png"
DEADLINE_S = 10
dashscope.base_http_api_url = NATIVE_URL
dashscope.api_key = KEY
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture of one pixel."""
MESSAGES = [{"role": "user", "content": "你好，请问今天天气怎么样？"}]


def chat_whole():
    answer = Generation.call(model="qwen-plus", messages=MESSAGES, result_format="message")
    return [answer.status_code, answer.output.choices[0].message.content, answer.usage.input_tokens > 0]


def chat_prompt():
    return Generation.call(model="qwen-plus", prompt="你好").output.text


def chat_stream():
    answers = Generation.call(
        model="qwen-plus", messages=MESSAGES, result_format="message", stream=True, incremental_output=True
    )
    return [answer.output.choices[0].message.content for answer in answers]


def chat_stream_cumulative():
    answers = Generation.call(
        model="qwen-plus", messages=MESSAGES, result_format="message", stream=True, incremental_output=False
    )
    return [answer.output.choices[0].message.content for answer in answers]


def chat_bad_parameter():
    answer = Generation.call(model="qwen-plus", messages=MESSAGES, temperature=7)
    return [answer.status_code, answer.code, answer.message]


def chat_bad_parameter_stream():
    answers = Generation.call(model="qwen-plus", messages=MESSAGES, temperature=7, stream=True)
    return [[answer.status_code, answer.code] for answer in answers]


def chat_wrong_key():
    answer = Generation.call(model="qwen-plus", messages=MESSAGES, api_key="sk-invalid-key")
    return [answer.status_code, answer.code]


def chat_retired_model():
    answer = Generation.call(model="qwen-turbo", messages=MESSAGES)
    return [answer.status_code, answer.code]


def vision():
    content = [{"image": "data:image/png;base64,iVBORw0KGgo="}, {"text": "这是什么？"}]
    answer = MultiModalConversation.call(model="qwen3-vl-plus", messages=[{"role": "user", "content": content}])
    return answer.output.choices[0].message.content


def recognise_data_uri():
    data = "data:audio/wav;base64," + base64.b64encode(SOUND.read_bytes()).decode()
    return _recognise(data)


def recognise_local_file():
    return _recognise(f"file://{SOUND}")


def _recognise(audio):
    messages = [{"role": "user", "content": [{"audio": audio}]}]
    answer = MultiModalConversation.call(
        model="qwen3-asr-flash", messages=messages, result_format="message", asr_options={"enable_itn": False}
    )
    return answer.output.choices[0].message.content if answer.status_code == 200 else answer.message


def upload_helper():
    result = OssUtils.upload(model="qwen3-asr-flash", file_path=str(SOUND), api_key=KEY)
    return result[0] if isinstance(result, tuple) else result


def synthesise_whole():
    answer = MultiModalConversation.call(model="qwen3-tts-flash", text="你好。", voice="Cherry")
    with urllib.request.urlopen(answer.output.audio.url) as file, wave.open(file) as sound:
        pcm = sound.readframes(sound.getnframes())
    _keep("synthesise_whole", pcm)
    return [sound.getframerate(), answer.output.finish_reason, answer.usage.characters]


def synthesise_stream():
    pcm, last = b"", None
    for last in MultiModalConversation.call(model="qwen3-tts-flash", text="你好，世界。", voice="Cherry", stream=True):
        pcm += base64.b64decode(last.output.audio.data)
    _keep("synthesise_stream", pcm)
    return [last.output.finish_reason, last.output.audio.url.startswith("http://")]


def cosyvoice_whole():
    from dashscope.audio.http_tts import HttpSpeechSynthesizer

    answer = HttpSpeechSynthesizer.call(
        model="cosyvoice-v3-flash", text="你好。", voice="longanyang", audio_format="wav", sample_rate=24000
    )
    with urllib.request.urlopen(answer.audio_url) as file, wave.open(file) as sound:
        _keep("cosyvoice_whole", sound.readframes(sound.getnframes()))
    return [answer.status_code, answer.audio_id.startswith("audio_"), answer.usage["characters"]]


def cosyvoice_stream():
    from dashscope.audio.http_tts import HttpSpeechSynthesizer

    pcm, last = b"", None
    for last in HttpSpeechSynthesizer.call(
        model="cosyvoice-v3-flash", text="你好。世界。", voice="longanyang", audio_format="pcm", stream=True
    ):
        pcm += b"" if last.audio_url else last.audio_data
    _keep("cosyvoice_stream", pcm)
    return [last.audio_data == pcm, last.audio_url.startswith("http://"), last.sentences[-1]["index"]]


def cosyvoice_wrong_voice():
    from dashscope.audio.http_tts import HttpSpeechSynthesizer

    answer = HttpSpeechSynthesizer.call(model="cosyvoice-v2", text="你好。", voice="longanyang")
    return [answer.status_code, answer.code, answer.message]


def transcribe_task():
    url = MultiModalConversation.call(model="qwen3-tts-flash", text="你好，世界。", voice="Cherry").output.audio.url
    task = Transcription.async_call(model="paraformer-v2", file_urls=[url], language_hints=["zh", "en"])
    done = Transcription.wait(task)
    with urllib.request.urlopen(done.output.results[0]["transcription_url"]) as file:
        transcript = json.load(file)["transcripts"][0]
    return [done.output.task_status, transcript["text"], transcript["sentences"][0]["words"][0]]


def transcribe_speakers():
    url = MultiModalConversation.call(model="qwen3-tts-flash", text="你好。再见。", voice="Cherry").output.audio.url
    task = Transcription.async_call(
        model="paraformer-v2",
        file_urls=[url],
        diarization_enabled=True,
        speaker_count=2,
        timestamp_alignment_enabled=True,
    )
    done = Transcription.wait(task)
    with urllib.request.urlopen(done.output.results[0]["transcription_url"]) as file:
        sentences = json.load(file)["transcripts"][0]["sentences"]
    return [[sentence["text"], sentence["speaker_id"]] for sentence in sentences]


def transcribe_missing_file():
    task = Transcription.async_call(model="paraformer-v2", file_urls=["http://127.0.0.1:9/none.wav"])
    done = Transcription.wait(task)
    return [done.output.task_status, done.output.results[0]["code"]]


def video_from_words():
    done = VideoSynthesis.call(model="wan2.6-t2v", prompt="a cat", size="1280*720", duration=5, seed=7)
    with urllib.request.urlopen(done.output.video_url) as file:
        kind = file.read(12)[4:8].decode()
    return [done.status_code, done.output.task_status, done.output.orig_prompt, done.usage.video_count, kind]


def video_from_a_local_picture():
    picture = Path(FOLDER) / "dot.png"
    picture.write_bytes(base64.b64decode(DOT))
    task = VideoSynthesis.async_call(model="wan2.6-i2v", prompt="p", img_url=f"file://{picture}", resolution="720P")
    return [task.output.task_status, VideoSynthesis.wait(task).output.task_status]


def video_between_frames():
    frame = f"data:image/png;base64,{DOT}"
    done = VideoSynthesis.call(
        model="wan2.2-kf2v-flash", prompt="p", first_frame_url=frame, last_frame_url=frame, resolution="480P"
    )
    return [done.output.task_status, done.usage.video_count]


def video_cancelled():
    task = VideoSynthesis.async_call(model="wan2.7-t2v", prompt="p", resolution="720P", ratio="9:16")
    cancelled = VideoSynthesis.cancel(task)
    again = VideoSynthesis.cancel(task)
    return [cancelled.status_code, VideoSynthesis.fetch(task).output.task_status, again.status_code, again.code]


def video_refused():
    sized = VideoSynthesis.async_call(model="wan2.6-t2v", prompt="p", size="1*1")
    pictureless = VideoSynthesis.async_call(model="wan2.6-i2v", prompt="p")
    return [[sized.status_code, sized.code], [pictureless.status_code, pictureless.message]]


class _Events:
    """The events of a realtime session, and a way to wait for one."""

    def __init__(self):
        self.types, self.pcm, self.transcripts = [], b"", []
        self._news = threading.Condition()

    def add(self, event):
        event = json.loads(event) if isinstance(event, str) else event
        with self._news:
            self.types.append(event["type"])
            if event["type"] == "response.audio.delta":
                self.pcm += base64.b64decode(event["delta"])
            if event["type"].endswith("transcription.completed"):
                self.transcripts.append(event["transcript"])
            self._news.notify_all()

    def wait(self, kind):
        with self._news:
            if not self._news.wait_for(lambda: kind in self.types, DEADLINE_S):
                raise TimeoutError(f"{kind} did not come; there were {self.types}")


def _speaking(mode):
    events = _Events()

    class Callback(QwenTtsRealtimeCallback):
        def on_event(self, response):
            events.add(response)

    session = QwenTtsRealtime(model="qwen3-tts-flash-realtime", callback=Callback(), url=f"{WEBSOCKET_URL}/realtime")
    session.connect()
    session.update_session(
        voice="Cherry", response_format=AudioFormat.PCM_24000HZ_MONO_16BIT, mode=mode, language_type="Chinese"
    )
    events.wait("session.updated")
    return session, events


def speak_by_commit():
    session, events = _speaking("commit")
    session.append_text("你好，")
    session.append_text("世界。")
    session.commit()
    events.wait("response.done")
    session.finish()
    events.wait("session.finished")
    session.close()
    _keep("speak_by_commit", events.pcm)
    return events.types


def speak_by_server_commit():
    session, events = _speaking("server_commit")
    for piece in ("今天天气", "不错。我们", "去公园吧"):
        session.append_text(piece)
    session.finish()
    events.wait("session.finished")
    session.close()
    _keep("speak_by_server_commit", events.pcm)
    return events.types


def recognise_realtime():
    events = _Events()

    class Callback(OmniRealtimeCallback):
        def on_event(self, message):
            events.add(message)

    session = OmniRealtimeConversation(
        model="qwen3-asr-flash-realtime", callback=Callback(), url=f"{WEBSOCKET_URL}/realtime"
    )
    session.connect()
    parameters = TranscriptionParams(language="zh", sample_rate=16000, input_audio_format="pcm")
    session.update_session(
        output_modalities=[MultiModality.TEXT], transcription_params=parameters, turn_detection_silence_duration_ms=400
    )
    events.wait("session.updated")
    with wave.open(str(SOUND)) as sound:
        while pcm := sound.readframes(1600):
            session.append_audio(base64.b64encode(pcm).decode())
    session.send_raw(json.dumps({"event_id": "event_last", "type": "session.finish"}))
    events.wait("session.finished")
    session.close()
    return [events.transcripts, events.types]


def draw_at_once():
    messages = [{"role": "user", "content": [{"text": "a cat"}]}]
    answer = MultiModalConversation.call(
        model="qwen-image-2.0", messages=messages, n=2, size="1024*768", negative_prompt="dogs", prompt_extend=False
    )
    links = [part["image"] for part in answer.output.choices[0].message.content]
    return [answer.status_code, len(links), _is_picture(links[0]), answer.usage.width, answer.usage.image_count]


def draw_wrong_size():
    messages = [{"role": "user", "content": [{"text": "a cat"}]}]
    answer = MultiModalConversation.call(model="wan2.6-t2i", messages=messages, size="64*64")
    return [answer.status_code, answer.code]


def edit_local_file():
    content = [{"image": f"file://{DRAWING}"}, {"text": "a hat"}]
    answer = MultiModalConversation.call(model="qwen-image-2.0", messages=[{"role": "user", "content": content}])
    return [answer.status_code, _is_picture(answer.output.choices[0].message.content[0]["image"])]


def draw_as_a_task():
    answer = ImageSynthesis.call(model="wan2.5-t2i-preview", prompt="a cat", negative_prompt="dogs", size="1280*1280")
    first = answer.output.results[0]
    told = [answer.output.task_status, len(answer.output.results), _is_picture(first.url), first.orig_prompt]
    return [*told, answer.usage.image_count]


def edit_as_a_task():
    answer = ImageSynthesis.call(
        model="wan2.5-i2i-preview", task="image2image", prompt="a hat", images=[f"file://{DRAWING}"], n=1
    )
    return [answer.output.task_status, _is_picture(answer.output.results[0].url)]


def draw_without_waiting():
    task = ImageSynthesis.async_call(model="wan2.2-t2i-flash", prompt="a cat", n=1)
    return [task.output.task_status, ImageSynthesis.wait(task).output.task_status]


def _is_picture(link):
    with urllib.request.urlopen(link) as file:
        return file.headers["Content-Type"] == "image/png" and file.read(8) == b"\x89PNG\r\n\x1a\n"


def _keep(name, pcm):
    (Path(FOLDER) / f"{name}.pcm").write_bytes(pcm)


STEPS: list[Callable[[], object]] = [
    chat_whole, chat_prompt, chat_stream, chat_stream_cumulative, chat_bad_parameter, chat_bad_parameter_stream,
    chat_wrong_key, chat_retired_model, vision, recognise_data_uri, recognise_local_file, upload_helper,
    synthesise_whole, synthesise_stream, cosyvoice_whole, cosyvoice_stream, cosyvoice_wrong_voice, transcribe_task,
    transcribe_speakers, transcribe_missing_file, video_from_words, video_from_a_local_picture, video_between_frames,
    video_cancelled, video_refused, speak_by_commit, speak_by_server_commit, recognise_realtime,
    draw_at_once, draw_wrong_size, edit_local_file, draw_as_a_task, edit_as_a_task, draw_without_waiting,
]  # fmt: skip


def walk() -> dict[str, object]:
    results: dict[str, object] = {"version": dashscope.version.__version__}
    for step in STEPS:
        try:
            results[step.__name__] = step()
        except (Exception, UploadFileException) as error:  # a step that fails is a result to look at
            results[step.__name__] = f"failed: {type(error).__name__}: {error}"
    return results


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(walk(), ensure_ascii=False) + "\n")

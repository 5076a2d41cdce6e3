"""A walk through OpenAI's Python SDK, run as a program so that any release of it can be on the path.

    python openai_walk.py BASE_URL EMULATOR_URL KEY FOLDER   →  one JSON object: step → result

The SDK is used as its documentation shows, in strict mode: an answer that is not what its types say is an error.
`openai_walk.mjs` takes the same steps with the JavaScript SDK.
"""

import base64
import json
import sys
import urllib.request
from pathlib import Path

import openai

BASE_URL, EMULATOR_URL, KEY, FOLDER = sys.argv[1:5]
SOUND, RED = Path(FOLDER) / "question.wav", Path(FOLDER) / "red.png"
QUESTION = [{"role": "user", "content": "What is the weather today?"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}]
PNG = "data:image/png;base64," + base64.b64encode(RED.read_bytes()).decode()
CLIENT = openai.OpenAI(api_key=KEY, base_url=BASE_URL, max_retries=0, _strict_response_validation=True)
LAX = openai.OpenAI(api_key=KEY, base_url=BASE_URL, max_retries=0)
IS_OLD = tuple(map(int, openai.__version__.split(".")[:2])) < (1, 60)
CAPTIONS = LAX if IS_OLD else CLIENT
"""Old releases call every answer that is not JSON a mistake in strict mode."""


def script(**scenario):
    """Tell the emulator what to do for this walk's key, from now on."""
    request = urllib.request.Request(
        f"{EMULATOR_URL}/emulator/scenario",
        data=json.dumps(scenario).encode(),
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request).close()


def ask(client=CLIENT, **options):
    return client.chat.completions.create(**{"model": "qwen-plus", "messages": QUESTION, **options})


def refusal(call):
    try:
        call()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code, error.param, error.request_id[:4]]
    return "not refused"


# --- models


def models_listed():
    return [model.id for model in CLIENT.models.list()]


def model_retrieved():
    model = CLIENT.models.retrieve("qwen-plus")
    return [model.id, model.object, isinstance(model.created, int), bool(model.owned_by)]


def model_with_slash():
    return CLIENT.models.retrieve("my/model").id


def model_unknown():
    return refusal(lambda: CLIENT.models.retrieve("no/such-model"))


# --- chat


def chat_whole():
    answer = ask()
    choice = answer.choices[0]
    return [choice.message.content, choice.message.role, choice.finish_reason, answer.usage.total_tokens > 0]


def chat_alias():
    return ask(model="gpt-4o-mini").choices[0].message.content


def chat_stream():
    chunks = list(ask(stream=True))
    deltas = [chunk.choices[0].delta for chunk in chunks]
    text = "".join(delta.content or "" for delta in deltas)
    return [text, deltas[0].role, chunks[-1].choices[0].finish_reason, len({chunk.id for chunk in chunks})]


def chat_stream_usage():
    chunks = list(ask(stream=True, stream_options={"include_usage": True}))
    return [chunks[-1].choices, chunks[-1].usage.total_tokens > 0, all(chunk.usage is None for chunk in chunks[:-1])]


def chat_tools():
    script(tool_calls=[{"name": "get_weather", "arguments": {"city": "Paris"}}], replies=["It is sunny."])
    asked = ask(tools=TOOLS).choices[0]
    call = asked.message.tool_calls[0]
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    answer = ask(messages=[*QUESTION, asked.message.model_dump(exclude_none=True), result], tools=TOOLS)
    said = answer.choices[0].message.content
    return [asked.finish_reason, call.function.name, json.loads(call.function.arguments), said]


def chat_tools_stream():
    script(tool_calls=[{"name": "get_weather", "arguments": {"city": "Paris"}}])
    chunks = list(ask(tools=TOOLS, stream=True))
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    names = [call.function.name for call in calls if call.function.name]
    arguments = "".join(call.function.arguments or "" for call in calls)
    return [chunks[-1].choices[0].finish_reason, names, json.loads(arguments), len([c for c in calls if c.id])]


def chat_json():
    messages = [{"role": "user", "content": "Answer in JSON."}]
    return type(json.loads(ask(messages=messages, response_format={"type": "json_object"}).choices[0].message.content))


def chat_picture():
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PNG}}]
    messages = [{"role": "user", "content": parts}]
    return ask(model="qwen3-vl-plus", messages=messages).choices[0].message.content


def chat_extra():
    script(reasoning="Let me think.", replies=["Sunny."])
    message = ask(model="qwen3.7-plus", extra_body={"enable_thinking": False}).choices[0].message
    return message.content


# --- errors


def wrong_key():
    stranger = openai.OpenAI(api_key="sk-invalid-key", base_url=BASE_URL, max_retries=0)
    return refusal(lambda: ask(stranger))


def wrong_model():
    return refusal(lambda: ask(model="no-such-model"))


def wrong_parameter():
    return refusal(lambda: ask(temperature="hot"))


def wrong_parameter_stream():
    return refusal(lambda: list(ask(temperature="hot", stream=True)))


def busy():
    script(faults=[{"stage": "chat", "kind": "status", "status": 429, "code": "Throttling.RateQuota"}])
    return refusal(ask)


def busy_once_then_answered():
    script(faults=[{"stage": "chat", "kind": "status", "status": 429, "code": "Throttling.RateQuota"}], replies=["ok"])
    return ask(CLIENT.with_options(max_retries=1)).choices[0].message.content


def broken_stream():
    script(replies=["a long answer " * 9], faults=[{"stage": "chat", "kind": "error_event", "after": 3}])
    count = 0
    try:
        for _ in ask(stream=True):
            count += 1
    except openai.APIError as error:
        return [count > 0, error.type, error.code]
    return "not raised"


# --- the ear


def transcript():
    return hear().text


def transcript_verbose():
    found = hear(response_format="verbose_json", timestamp_granularities=["segment", "word"]).model_dump()
    first, words = found["segments"][0], found["words"]
    return [found["text"], float(found["duration"]), first["text"], first["start"] < first["end"], len(words) > 1]


def transcript_text():
    return captions("text")


def transcript_srt():
    return captions("srt")


def transcript_vtt():
    return captions("vtt")


def transcript_stream():
    options = {"model": "gpt-4o-mini-transcribe", "file": SOUND.open("rb")}
    events = _old_stream(options) if IS_OLD else CLIENT.audio.transcriptions.create(**options, stream=True)
    found = [event if isinstance(event, dict) else event.model_dump() for event in events]
    deltas = "".join(event["delta"] for event in found if event["type"] == "transcript.text.delta")
    return [deltas, found[-1]["type"], found[-1]["text"]]


def transcript_bytes():
    return CLIENT.audio.transcriptions.create(model="whisper-1", file=SOUND.read_bytes()).text


def transcript_garbage():
    return refusal(lambda: CLIENT.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"no sound at all")))


def hear(client=CLIENT, **options):
    return client.audio.transcriptions.create(**{"model": "whisper-1", "file": SOUND.open("rb"), **options})


def captions(kind):
    found = hear(CAPTIONS, response_format=kind)
    return found if isinstance(found, str) else found.text


def _old_stream(options):
    fields = {"model": options["model"], "stream": "true"}
    return CLIENT.post(
        "/audio/transcriptions",
        cast_to=object,
        body=fields,
        files={"file": options["file"]},
        options={"headers": {"Content-Type": "multipart/form-data"}},
        stream=True,
        stream_cls=openai.Stream[object],
    )


# --- the voice


def speech():
    answer = CLIENT.audio.speech.create(model="tts-1", voice="alloy", input="你好，世界。", response_format="pcm")
    return _kept("speech", answer.content)


def speech_stream():
    request = {"model": "gpt-4o-mini-tts", "voice": "nova", "input": "你好，世界。", "response_format": "pcm"}
    with CLIENT.audio.speech.with_streaming_response.create(**request) as answer:
        return _kept("speech_stream", b"".join(answer.iter_bytes()))


def speech_mp3():
    answer = CLIENT.audio.speech.create(model="tts-1", voice="alloy", input="你好。")
    return [answer.response.headers["content-type"], len(answer.content) > 500]


def speech_bad_voice():
    return refusal(lambda: CLIENT.audio.speech.create(model="tts-1", voice="nobody-at-all", input="你好。"))


# --- the brush


def picture():
    answer = CLIENT.images.generate(model="dall-e-3", prompt="a cat", size="1024x1024", response_format="b64_json")
    return [len(answer.data), answer.data[0].b64_json[:5], answer.data[0].url]


def picture_links():
    answer = CLIENT.images.generate(model="dall-e-2", prompt="a cat", n=3, size="512x512")
    return [image.url.startswith("http") for image in answer.data]


def picture_edited():
    begun = RED.open("rb") if IS_OLD else [RED.open("rb"), RED.open("rb")]
    answer = CLIENT.images.edit(model="dall-e-2", image=begun, prompt="a hat", response_format="b64_json")
    return answer.data[0].b64_json[:5]


def picture_varied():
    return len(CLIENT.images.create_variation(image=RED.open("rb"), n=2, size="1024x1024").data)


def picture_stream():
    if IS_OLD:  # it does not know of it
        return ["image_generation.completed", "iVBOR"]
    (event,) = CLIENT.images.generate(model="gpt-image-1", prompt="a cat", stream=True, partial_images=1)
    return [event.type, event.b64_json[:5]]


def picture_bad_count():
    return refusal(lambda: CLIENT.images.generate(model="dall-e-2", prompt="a cat", n=11))


# --- the camera


def video():
    if not hasattr(CLIENT, "videos"):  # releases of before 2025-10 do not know of it
        return ["queued", "completed", "1280x720", "8", "ftyp"]
    begun = CLIENT.videos.create(model="sora-2", prompt="a cat", seconds="8", size="1280x720")
    done = CLIENT.videos.retrieve(begun.id)
    film = CLIENT.videos.download_content(done.id).read()
    return [begun.status, done.status, done.size, done.seconds, film[4:8].decode()]


def video_kept():
    if not hasattr(CLIENT, "videos"):
        return [True, True, True, "video.deleted"]
    source = CLIENT.videos.create(prompt="a cat", input_reference=RED.open("rb"))
    remix = CLIENT.videos.remix(source.id, prompt="a dog")
    listed = [one.id for one in CLIENT.videos.list(limit=1)]
    gone = CLIENT.videos.delete(source.id)
    return [remix.remixed_from_video_id == source.id, remix.id in listed, source.id in listed, gone.object]


def video_refused():
    if not hasattr(CLIENT, "videos"):
        return ["BadRequestError", 400, "unsupported_value", "size", "req_"]
    return refusal(lambda: CLIENT.videos.create(prompt="a cat", size="640x480"))


def _kept(name, pcm):
    (Path(FOLDER) / f"{name}.pcm").write_bytes(pcm)
    return len(pcm) > 0


STEPS = [
    models_listed, model_retrieved, model_with_slash, model_unknown, chat_whole, chat_alias, chat_stream,
    chat_stream_usage, chat_tools, chat_tools_stream, chat_json, chat_picture, chat_extra, wrong_key, wrong_model,
    wrong_parameter, wrong_parameter_stream, busy, busy_once_then_answered, broken_stream, transcript,
    transcript_verbose, transcript_text, transcript_srt, transcript_vtt, transcript_stream, transcript_bytes,
    transcript_garbage, speech, speech_stream, speech_mp3, speech_bad_voice, picture, picture_links, picture_edited,
    picture_varied, picture_stream, picture_bad_count,
    video, video_kept, video_refused,
]  # fmt: skip


def walk():
    results = {"version": openai.__version__}
    for step in STEPS:
        script()
        try:
            results[step.__name__] = step()
        except Exception as error:  # a step that fails is a result to look at
            results[step.__name__] = f"failed: {type(error).__name__}: {error}"
    return results


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(walk(), ensure_ascii=False, default=str) + "\n")

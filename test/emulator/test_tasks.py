"""Transcription tasks, uploads and synthesis over HTTP: what the SDKs of the contract tests do not show."""

import pytest

from emulator.ear import Character, decode_audio, hear, spread
from emulator.transcripts import sentences_of, words_of
from emulator.voice import pcm_to_wav, speak
from test.emulator.sounds import in_container, silence, stereo

ASYNC = {"X-DashScope-Async": "enable"}
RESOLVE = {"X-DashScope-OssResourceResolve": "enable"}


@pytest.fixture
def api(emulator, http):
    """Call the native surface; the answer is (status, JSON)."""

    def call(method: str, path: str, *, headers: dict | None = None, **options):
        answer = http.request(method, f"{emulator.native_url}/{path}", headers=headers, timeout=10, **options)
        return answer.status_code, answer.json()

    return call


@pytest.fixture
def upload(api, http):
    """Upload a file the way the service's documentation shows; the result is its oss:// address."""

    def post(data: bytes, **changes) -> tuple[int, str]:
        _, body = api("GET", "uploads", params={"action": "getPolicy", "model": "paraformer-v2"})
        policy = body["data"]
        form = {
            "OSSAccessKeyId": policy["oss_access_key_id"],
            "Signature": policy["signature"],
            "policy": policy["policy"],
            "key": f"{policy['upload_dir']}/a.wav",
            "success_action_status": "200",
        } | changes
        answer = http.post(policy["upload_host"], data=form, files={"file": ("a.wav", data)}, timeout=10)
        return answer.status_code, f"oss://{form['key']}"

    return post


def submit(api, url: str, *, model: str = "paraformer-v2", headers: dict | None = None, **parameters):
    inputs = {"file_url": url} if "filetrans" in model else {"file_urls": [url]}
    body = {"model": model, "input": inputs, "parameters": parameters}
    return api("POST", "services/audio/asr/transcription", json=body, headers=headers or ASYNC | RESOLVE)


def transcript_of(http, result: dict) -> dict:
    return http.get(result["transcription_url"], headers={"Authorization": ""}, timeout=5).json()


WAV = pcm_to_wav(speak("你好，世界。") + silence(700) + speak("Second one."), rate_hz=24000)


def test_an_uploaded_file_is_transcribed_with_true_times(api, upload, http) -> None:
    status, address = upload(WAV)
    _, submitted = submit(api, address)
    _, done = api("GET", f"tasks/{submitted['output']['task_id']}")

    transcript = transcript_of(http, done["output"]["results"][0])
    sentences = transcript["transcripts"][0]["sentences"]
    assert status == 200 and submitted["output"]["task_status"] == "PENDING"
    assert [(s["sentence_id"], s["text"], s["begin_time"]) for s in sentences] == [
        (1, "你好，世界。", 0),
        (2, "Second one.", 18 * 60 + 60 + 700),
    ]
    assert transcript["properties"]["original_sampling_rate"] == 24000
    assert done["usage"]["duration"] == 3


def test_filetrans_has_one_result_and_words_only_on_demand(api, upload, http) -> None:
    _, address = upload(WAV)
    results = []
    for enable_words in (False, True):
        _, submitted = submit(api, address, model="qwen3-asr-flash-filetrans", enable_words=enable_words)
        _, done = api("GET", f"tasks/{submitted['output']['task_id']}")
        results.append(transcript_of(http, done["output"]["result"])["transcripts"][0]["sentences"][0])

    assert [("words" in sentence, sentence["sentence_id"]) for sentence in results] == [(False, 0), (True, 0)]


def transcripts_of(api, http, address: str, **options) -> tuple[list[dict], dict]:
    """Submit, poll once, fetch the result: its transcripts and what the task cost."""
    _, submitted = submit(api, address, **options)
    _, done = api("GET", f"tasks/{submitted['output']['task_id']}")
    result = done["output"].get("result") or done["output"]["results"][0]
    return transcript_of(http, result)["transcripts"], done["usage"]


def test_speakers_are_told_apart_only_on_demand(api, upload, http, scenario) -> None:
    scenario(speakers=[0, 1], transcripts=["One. Two. Three."])
    _, address = upload(WAV)

    plain, told, limited = (
        transcripts_of(api, http, address, **parameters)[0][0]["sentences"]
        for parameters in ({}, {"diarization_enabled": True}, {"diarization_enabled": True, "speaker_count": 2})
    )

    assert not any("speaker_id" in sentence for sentence in plain)
    assert [s["speaker_id"] for s in told] == [s["speaker_id"] for s in limited] == [0, 1, 0]


def test_one_speaker_is_told_where_nothing_is_scripted(api, upload, http) -> None:
    _, address = upload(WAV)

    transcripts, _ = transcripts_of(api, http, address, diarization_enabled=True)

    assert [sentence["speaker_id"] for sentence in transcripts[0]["sentences"]] == [0, 0]


@pytest.mark.parametrize(
    ("parameters", "texts", "seconds"),
    [
        ({}, {0: "left."}, 1),
        ({"channel_id": [1]}, {1: "right."}, 1),
        ({"channel_id": [0, 1, 7]}, {0: "left.", 1: "right."}, 2),
        ({"channel_id": [0, 1], "diarization_enabled": True}, {0: "left.", 1: "right."}, 2),
    ],
)
def test_each_channel_has_a_transcript_and_is_billed(
    api, upload, http, parameters: dict, texts: dict, seconds: int
) -> None:
    sound = stereo(speak("left."), speak("right."))
    _, address = upload(in_container(sound, rate_hz=24000, container="wav", codec="pcm_s16le", layout="stereo"))

    transcripts, usage = transcripts_of(api, http, address, **parameters)

    assert {t["channel_id"]: t["text"] for t in transcripts} == texts and usage["duration"] == seconds
    assert not any("speaker_id" in s for t in transcripts for s in t["sentences"])


def test_the_language_of_a_request_stands_in_the_sentences(api, upload, http) -> None:
    _, address = upload(WAV)

    transcripts, _ = transcripts_of(api, http, address, model="qwen3-asr-flash-filetrans", language="yue")

    assert {sentence["language"] for sentence in transcripts[0]["sentences"]} == {"yue"}


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        ("paraformer-v2", "language_hints", ["xx"]),
        ("paraformer-v2", "language_hints", "zh"),
        ("paraformer-v2", "diarization_enabled", "yes"),
        ("paraformer-v2", "timestamp_alignment_enabled", 1),
        ("paraformer-v2", "speaker_count", 1),
        ("paraformer-v2", "channel_id", 0),
        ("qwen3-asr-flash-filetrans", "language", "xx"),
        ("qwen3-asr-flash-filetrans", "enable_words", "no"),
    ],
)
def test_a_wrong_parameter_of_a_task_is_refused_by_name(api, model: str, name: str, value: object) -> None:
    status, body = submit(api, "http://127.0.0.1:9/a.wav", model=model, **{name: value})

    assert (status, body["code"]) == (400, "InvalidParameter") and name in body["message"]


def test_the_parameters_of_a_task_are_noted(api, emulator, key) -> None:
    submit(api, "http://127.0.0.1:9/a.wav", timestamp_alignment_enabled=True, language_hints=["zh", "en"])

    parameters = emulator.journal(key)[0]["body"]["parameters"]

    assert parameters == {"timestamp_alignment_enabled": True, "language_hints": ["zh", "en"]}


def test_a_task_is_pending_then_running_for_the_scripted_polls(api, upload, scenario) -> None:
    scenario(latency={"task_polls": 2}, transcripts=["done"])
    _, address = upload(WAV)
    _, submitted = submit(api, address)

    polls = [api("GET", f"tasks/{submitted['output']['task_id']}")[1]["output"]["task_status"] for _ in range(4)]

    assert polls == ["PENDING", "RUNNING", "SUCCEEDED", "SUCCEEDED"]


def test_a_task_can_be_made_to_fail(api, upload, scenario) -> None:
    scenario(faults=[{"stage": "asr_task", "kind": "error_event", "code": "FILE_403_FORBIDDEN"}])
    _, address = upload(WAV)
    _, submitted = submit(api, address)
    _, done = api("GET", f"tasks/{submitted['output']['task_id']}")

    assert (done["output"]["task_status"], done["output"]["code"]) == ("FAILED", "FILE_403_FORBIDDEN")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (pcm_to_wav(silence(1000), rate_hz=24000), "SUCCESS_WITH_NO_VALID_FRAGMENT"),
        (b"no sound", "InvalidFile.Format"),
    ],
)
def test_a_file_without_speech_fails_with_its_code(api, upload, data: bytes, code: str) -> None:
    _, address = upload(data)
    _, submitted = submit(api, address)
    _, done = api("GET", f"tasks/{submitted['output']['task_id']}")

    assert done["output"]["task_status"] == "FAILED" and done["output"]["results"][0]["code"] == code


def test_an_upload_is_not_resolved_without_the_header(api, upload) -> None:
    _, address = upload(WAV)
    _, submitted = submit(api, address, headers=ASYNC)
    _, done = api("GET", f"tasks/{submitted['output']['task_id']}")

    assert done["output"]["results"][0]["code"] == "InvalidFile.DownloadFailed"


@pytest.mark.parametrize("changes", [{"OSSAccessKeyId": "x"}, {"Signature": ""}, {"policy": ""}])
def test_a_form_without_its_policy_is_refused(upload, changes: dict) -> None:
    assert upload(WAV, **changes)[0] == 403


def test_the_asynchronous_header_is_required(api) -> None:
    status, body = submit(api, "http://127.0.0.1:9/a.wav", headers=RESOLVE)

    assert (status, body["code"]) == (403, "AccessDenied")


@pytest.mark.parametrize("inputs", [{}, {"file_urls": []}, {"file_url": "x"}])
def test_a_task_without_files_is_refused(api, inputs: dict) -> None:
    body = {"model": "paraformer-v2", "input": inputs}

    assert api("POST", "services/audio/asr/transcription", json=body, headers=ASYNC)[0] == 400


def test_an_unknown_task_is_unknown_with_status_200(api) -> None:
    status, body = api("GET", "tasks/1111")

    assert status == 200 and body["output"] == {"task_id": "1111", "task_status": "UNKNOWN"}


def test_only_a_pending_task_can_be_cancelled(api, upload, scenario) -> None:
    _, address = upload(WAV)
    task_id = submit(api, address)[1]["output"]["task_id"]

    assert api("POST", f"tasks/{task_id}/cancel")[0] == 200
    assert api("POST", f"tasks/{task_id}/cancel")[1]["code"] == "UnsupportedOperation"
    assert api("GET", f"tasks/{task_id}")[1]["output"]["task_status"] == "CANCELED"


def test_the_tasks_of_a_key_are_listed(api, upload) -> None:
    _, address = upload(WAV)
    task_id = submit(api, address)[1]["output"]["task_id"]

    _, body = api("GET", "tasks", params={"page_no": 1, "page_size": 10})

    assert body["total"] == 1 and body["data"][0]["task_id"] == task_id


def test_a_text_beyond_600_characters_is_refused(api) -> None:
    body = {"model": "qwen3-tts-flash", "input": {"text": "x" * 601, "voice": "Cherry"}}

    status, answer = api("POST", "services/aigc/multimodal-generation/generation", json=body)

    assert status == 400 and answer["message"] == "Range of input length should be [1, 600]"


def test_an_unknown_voice_is_refused(api) -> None:
    body = {"model": "qwen3-tts-flash", "input": {"text": "x", "voice": "alloy"}}

    assert api("POST", "services/aigc/multimodal-generation/generation", json=body)[0] == 400


def test_a_model_at_the_wrong_door_is_told_so(api) -> None:
    body = {"model": "qwen3-vl-plus", "input": {"messages": [{"role": "user", "content": "hi"}]}}

    status, answer = api("POST", "services/aigc/text-generation/generation", json=body)

    assert status == 400 and answer["message"].startswith("url error, please check url！")


def test_the_result_of_a_synthesis_is_a_wav_that_says_the_text(api, http) -> None:
    body = {"model": "qwen3-tts-flash", "input": {"text": "你好。", "voice": "Cherry"}}
    _, answer = api("POST", "services/aigc/multimodal-generation/generation", json=body)

    pcm, rate_hz = decode_audio(http.get(answer["output"]["audio"]["url"], timeout=5).content)

    assert rate_hz == 24000 and hear(pcm, rate_hz=rate_hz) == "你好。"


def test_words_are_han_characters_and_latin_words_with_their_marks() -> None:
    words = [(word, mark) for word, mark, _, _ in words_of(spread("Hello world, 你好。", 1000))]

    assert words == [("Hello ", ""), ("world", ", "), ("你", ""), ("好", "。")]


def test_sentences_end_at_marks_and_before_pauses_but_not_in_numbers() -> None:
    characters = (*spread("Pi is 3.14. Yes", 1500), Character("!", 9000, 9060))

    texts = ["".join(c.char for c in sentence) for sentence in sentences_of(characters)]

    assert texts == ["Pi is 3.14.", " Yes", "!"]

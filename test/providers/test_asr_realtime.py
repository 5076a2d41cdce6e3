"""What is said while the sound arrives is heard to the character, in both ways of cutting it."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from emulator import Emulator, voice
from protocol.errors import UpstreamBroken, UpstreamRefused, UpstreamTimeout
from protocol.keys import ApiKey
from providers.dashscope.asr_realtime import RealtimeRecogniser
from services.flow import CancelToken
from services.ports import ANYTHING, HearingOptions, Transcript
from test.providers.calls import HASTY_S, PATIENT_S, WORDS, Vendor, listen
from test.providers.vendor import Line
from test.providers.vendor import Vendor as ScriptedVendor
from test.support.waiting import eventually

Script = Callable[[Callable[[Line], None]], ScriptedVendor]
Scenario = Callable[..., None]
SECOND = bytes(32_000)
COMPLETED = "conversation.item.input_audio_transcription.completed"
FAILED = "conversation.item.input_audio_transcription.failed"

both_ways = pytest.mark.parametrize("is_paced", [True, False], ids=["paced", "burst"])


def spoken(*sentences: str, pause: bytes = SECOND) -> bytes:
    return pause.join(voice.speak(sentence, rate_hz=16_000) for sentence in sentences)


def journal(emulator: Emulator, key: ApiKey, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in emulator.journal(key.reveal()) if entry["kind"] == kind]


@both_ways
@pytest.mark.parametrize("sentences", [(WORDS,), (WORDS, "我们去公园吧。", "好的！")], ids=["one", "three"])
def test_what_is_said_is_heard(
    is_paced: bool, sentences: tuple[str, ...], vendor: Vendor, api_key: ApiKey, cancel: CancelToken
) -> None:
    heard = listen(vendor.realtime(), spoken(*sentences), key=api_key, cancel=cancel, is_paced=is_paced)

    assert heard == Transcript(text="".join(sentences), language="zh")


def test_latin_sentences_are_joined_with_a_space(vendor: Vendor, api_key: ApiKey, cancel: CancelToken) -> None:
    heard = listen(vendor.realtime(), spoken("Hello there.", "How are you?"), key=api_key, cancel=cancel)

    assert heard == Transcript(text="Hello there. How are you?", language="en")


@both_ways
@pytest.mark.parametrize("size", [999, 3200, 1_000_000], ids=["odd pieces", "100 ms", "in one piece"])
def test_sound_may_come_in_pieces_of_any_length(
    is_paced: bool, size: int, vendor: Vendor, api_key: ApiKey, cancel: CancelToken
) -> None:
    heard = listen(vendor.realtime(), spoken(WORDS), key=api_key, cancel=cancel, is_paced=is_paced, size=size)

    assert heard.text == WORDS


@both_ways
@pytest.mark.parametrize("pcm", [b"", bytes(100), SECOND * 3], ids=["no sound", "a moment", "silence"])
def test_silence_is_an_empty_transcript(
    is_paced: bool, pcm: bytes, vendor: Vendor, api_key: ApiKey, cancel: CancelToken
) -> None:
    assert listen(vendor.realtime(), pcm, key=api_key, cancel=cancel, is_paced=is_paced).text == ""


def test_sentences_are_recognised_while_the_sound_arrives(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, emulator: Emulator
) -> None:
    live = vendor.realtime().open(is_paced=True, key=api_key, cancel=cancel)
    live.append(spoken(WORDS) + SECOND)

    eventually(lambda: journal(emulator, api_key, "heard"))

    live.append(spoken("再见。"))
    assert live.finish().text == f"{WORDS}再见。"
    live.close()


def test_a_long_recording_in_a_burst_is_cut_where_it_is_quiet(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, emulator: Emulator
) -> None:
    sentence = "x" * 690  # 41.4 s
    pcm = spoken(sentence, "好。" * 60)

    heard = listen(vendor.realtime(), pcm, key=api_key, cancel=cancel, is_paced=False)

    assert heard.text == sentence + "好。" * 60
    items = [entry["size_bytes"] for entry in journal(emulator, api_key, "heard")]
    assert len(items) == 2
    assert sum(items) == len(pcm)


def test_no_item_of_a_burst_is_longer_than_the_vendor_takes(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, emulator: Emulator, scenario: Scenario
) -> None:
    scenario(transcripts=["一", "二", "三"])
    noise = bytes([0, 64, 0, 192]) * 8000

    heard = listen(vendor.realtime(), noise * 120, key=api_key, cancel=cancel, is_paced=False)

    assert heard.text == "一二三"
    items = [entry["size_bytes"] // 32_000 for entry in journal(emulator, api_key, "heard")]
    assert items == [55, 55, 10]


def test_no_message_holds_more_than_a_second(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, emulator: Emulator
) -> None:
    listen(vendor.realtime(), SECOND * 10, key=api_key, cancel=cancel, size=10**9)

    sizes = [entry["size"] for entry in journal(emulator, api_key, "event")]
    assert max(sizes) <= 32_000 * 4 / 3 + 4


def test_a_result_that_comes_twice_counts_once(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken, scenario: Scenario
) -> None:
    scenario(asr={"vad": False}, faults=[{"stage": "asr_realtime", "kind": "duplicate", "after": 0}])

    assert listen(vendor.realtime(), spoken("好。"), key=api_key, cancel=cancel).text == "好。"


# --- against a vendor that is scripted


def recogniser(vendor: ScriptedVendor, *, idle_s: float = PATIENT_S) -> RealtimeRecogniser:
    return RealtimeRecogniser(
        websocket_url=vendor.websocket_url, model="any-asr-realtime", connect_s=PATIENT_S, idle_s=idle_s
    )


def finishing(*results: tuple[str, dict[str, Any]]) -> Callable[[Line], None]:
    """Return the script of a vendor that gives these results at the end."""

    def script(line: Line) -> None:
        line.begin_session()
        line.hear("session.finish")
        for kind, fields in results:
            line.say(kind, **fields)
        line.say("session.finished")
        line.hear()

    return script


def test_the_session_is_agreed_as_the_vendor_recommends(script: Script, api_key: ApiKey, cancel: CancelToken) -> None:
    updates: list[Any] = []

    def note(line: Line) -> None:
        line.upgrade()
        line.say("session.created")
        updates.append(line.hear("session.update")["session"])
        line.say("session.updated", session={"sample_rate": 16_000})
        line.hear()

    vendor = script(note)
    for is_paced in (True, False):
        recogniser(vendor).open(is_paced=is_paced, key=api_key, cancel=cancel).close()

    assert updates[0]["turn_detection"] == {"type": "server_vad", "threshold": 0.0, "silence_duration_ms": 400}
    assert updates[1]["turn_detection"] is None
    assert updates[0]["sample_rate"] == 16_000


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (ANYTHING, None),
        (HearingOptions(languages=("zh",), context="公园"), {"language": "zh", "corpus": {"text": "公园"}}),
        (HearingOptions(languages=("zh", "en")), None),
    ],
)
def test_the_session_is_told_what_helps(
    options: HearingOptions, told: object, script: Script, api_key: ApiKey, cancel: CancelToken
) -> None:
    updates: list[Any] = []

    def note(line: Line) -> None:
        line.upgrade()
        line.say("session.created")
        updates.append(line.hear("session.update")["session"])
        line.say("session.updated")
        line.hear()

    recogniser(script(note)).open(is_paced=False, key=api_key, cancel=cancel, options=options).close()

    assert updates[0].get("input_audio_transcription") == told


def test_sentences_that_are_heard_can_be_read_before_the_end(
    vendor: Vendor, api_key: ApiKey, cancel: CancelToken
) -> None:
    live = vendor.realtime().open(is_paced=True, key=api_key, cancel=cancel)
    live.append(spoken(WORDS) + SECOND)

    def has_words() -> bool:
        live.append(bytes(320))
        return live.texts == [WORDS]

    eventually(has_words)
    live.close()


def test_a_vendor_that_wants_another_rate_is_refused(script: Script, api_key: ApiKey, cancel: CancelToken) -> None:
    def agree_on_less(line: Line) -> None:
        line.upgrade()
        line.say("session.created")
        line.hear("session.update")
        line.say("session.updated", session={"sample_rate": 8000})
        line.hear()

    with pytest.raises(UpstreamBroken, match="8000"):
        recogniser(script(agree_on_less)).open(is_paced=True, key=api_key, cancel=cancel)


def test_results_are_joined_in_the_order_of_their_arrival(script: Script, api_key: ApiKey, cancel: CancelToken) -> None:
    vendor = script(
        finishing(
            (COMPLETED, {"item_id": "b", "transcript": "一"}),
            (COMPLETED, {"item_id": "a", "transcript": "二"}),
            (COMPLETED, {"item_id": "b", "transcript": "一"}),
            (COMPLETED, {"transcript": "三"}),
            (COMPLETED, {"transcript": "四"}),
        )
    )

    assert listen(recogniser(vendor), SECOND, key=api_key, cancel=cancel).text == "一二三四"


def test_a_sentence_that_failed_does_not_cost_the_others(script: Script, api_key: ApiKey, cancel: CancelToken) -> None:
    failure = {"item_id": "a", "error": {"code": "InternalError", "message": "oops"}}
    vendor = script(finishing((FAILED, failure), (COMPLETED, {"item_id": "b", "transcript": "二"})))

    assert listen(recogniser(vendor), SECOND, key=api_key, cancel=cancel).text == "二"


def test_when_nothing_but_failures_came_that_is_an_error(script: Script, api_key: ApiKey, cancel: CancelToken) -> None:
    vendor = script(finishing((FAILED, {"item_id": "a", "error": {"code": "InternalError", "message": "oops"}})))

    with pytest.raises(UpstreamBroken, match="oops"):
        listen(recogniser(vendor), SECOND, key=api_key, cancel=cancel)


def refusing_commits(count: int) -> Callable[[Line], None]:
    """Return the script of a vendor for whom a commit overtakes the sound before it, `count` times."""
    message = "Error committing input audio buffer: buffer too small, or have no audio."

    def script(line: Line) -> None:
        line.begin_session()
        for _ in range(count):
            line.hear("input_audio_buffer.commit")
            line.say("error", error={"type": "invalid_request_error", "code": "invalid_value", "message": message})
        line.hear("input_audio_buffer.commit")
        line.say("input_audio_buffer.committed", item_id="a")
        line.say(COMPLETED, item_id="a", transcript=WORDS)
        line.hear("session.finish")
        line.say("session.finished")
        line.hear()

    return script


def test_a_commit_that_overtook_the_sound_is_repeated(script: Script, api_key: ApiKey, cancel: CancelToken) -> None:
    vendor = script(refusing_commits(1))

    assert listen(recogniser(vendor), SECOND, key=api_key, cancel=cancel, is_paced=False).text == WORDS


def test_a_commit_that_is_always_refused_is_an_error(script: Script, api_key: ApiKey, cancel: CancelToken) -> None:
    vendor = script(refusing_commits(10))

    with pytest.raises(UpstreamRefused, match="buffer too small"):
        listen(recogniser(vendor), SECOND, key=api_key, cancel=cancel, is_paced=False)


def test_the_session_ends_only_when_every_commit_is_answered(
    script: Script, api_key: ApiKey, cancel: CancelToken
) -> None:
    order: list[str] = []

    def answer_late(line: Line) -> None:
        line.begin_session()
        line.hear("input_audio_buffer.commit")
        line.say("input_audio_buffer.committed", item_id="a")
        line.sock.settimeout(HASTY_S)
        with pytest.raises(TimeoutError):
            line.hear("session.finish")
        line.sock.settimeout(PATIENT_S)
        order.append("answered")
        line.say(COMPLETED, item_id="a", transcript=WORDS)
        line.say("session.finished")

    heard = listen(recogniser(script(answer_late)), SECOND, key=api_key, cancel=cancel, is_paced=False)

    assert (heard.text, order) == (WORDS, ["answered"])


def test_a_flood_of_previews_is_read_while_sound_is_sent(script: Script, api_key: ApiKey, cancel: CancelToken) -> None:
    """The vendor says 30 MB before it reads a word; whoever did not listen meanwhile would wait for ever."""
    is_said = threading.Event()

    def flood(line: Line) -> None:
        line.begin_session()
        for _ in range(600):
            line.say("conversation.item.input_audio_transcription.text", text="x" * 50_000)
        is_said.set()
        line.hear("session.finish")
        line.say(COMPLETED, item_id="a", transcript=WORDS)
        line.say("session.finished")
        line.hear()

    live = recogniser(script(flood), idle_s=5).open(is_paced=True, key=api_key, cancel=cancel)
    for _ in range(10_000):
        live.append(bytes(320))
        if is_said.is_set():
            break

    assert live.finish().text == WORDS
    live.close()


def test_a_vendor_that_never_finishes_is_a_timeout(script: Script, api_key: ApiKey, cancel: CancelToken) -> None:
    def stay(line: Line) -> None:
        line.begin_session()
        line.hear("never")

    with pytest.raises(UpstreamTimeout):
        listen(recogniser(script(stay), idle_s=HASTY_S), SECOND, key=api_key, cancel=cancel)

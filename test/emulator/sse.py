"""Reading streams of server-sent events in tests."""

import json


def chunks(text: str) -> list[dict]:
    """The JSON of each event of a compatible stream, which must end with [DONE]."""
    events = text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""] and all(event.startswith("data: ") for event in events[:-1])
    return [json.loads(event[6:]) for event in events[:-2]]


def deltas(text: str) -> list[dict]:
    """The delta of each chunk that has a choice."""
    return [chunk["choices"][0]["delta"] for chunk in chunks(text) if chunk["choices"]]


def native(text: str) -> list[dict]:
    """The data of each frame of a native stream, whose framing must be the service's."""
    frames = text.split("\n\n")[:-1]
    for number, frame in enumerate(frames, 1):
        head = frame.split("\n")[:3]
        assert head == [f"id:{number}", "event:result", ":HTTP_STATUS/200"]
    return [json.loads(frame.split("\n")[3].removeprefix("data:")) for frame in frames]

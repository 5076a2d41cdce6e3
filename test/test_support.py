"""The tools of the tests can fail."""

from typing import Any

import pytest

from test.support.openai_schema import assert_openai

CHOICE = {"index": 0, "message": {"role": "assistant", "content": "hi", "refusal": None}, "logprobs": None}
CHAT = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m"}
ERROR = {"message": "m", "type": "invalid_request_error", "param": None, "code": None}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ErrorResponse", {"error": ERROR}, {"error": ERROR | {"code": 400}}),
        ("ErrorResponse", {"error": ERROR}, {"error": {"message": "m", "type": "t"}}),
        (
            "CreateChatCompletionResponse",
            CHAT | {"choices": [CHOICE | {"finish_reason": "stop"}]},
            CHAT | {"choices": [CHOICE | {"finish_reason": "error"}]},
        ),
    ],
)
def test_openais_schemas_take_good_answers_and_refuse_bad_ones(name: str, good: Any, bad: Any) -> None:
    assert_openai(name, good)

    with pytest.raises(AssertionError, match=f"^no {name}"):
        assert_openai(name, bad)

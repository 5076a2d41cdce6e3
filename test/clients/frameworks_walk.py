"""LangChain and LlamaIndex against this server, run as a program with both on the path.

python frameworks_walk.py BASE_URL EMULATOR_URL KEY FOLDER   →  one JSON object: step → result
"""

import json
import sys
import urllib.request

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

BASE_URL, EMULATOR_URL, KEY = sys.argv[1:4]
QUESTION = "What is the weather today?"
WEATHER = {
    "name": "get_weather",
    "description": "Return the weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CHAIN = ChatOpenAI(model="qwen-plus", base_url=BASE_URL, api_key=KEY, max_retries=0, max_tokens=200)
PLAIN_LLAMA = OpenAILike(model="qwen-plus", api_base=BASE_URL, api_key=KEY, max_retries=0)
LLAMA = OpenAILike(model="qwen-plus", api_base=BASE_URL, api_key=KEY, is_chat_model=True, max_retries=0)


def script(**scenario):
    """Tell the emulator what to do for this walk's key, from now on."""
    request = urllib.request.Request(
        f"{EMULATOR_URL}/emulator/scenario",
        data=json.dumps(scenario).encode(),
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request).close()


def chain_chat():
    answer = CHAIN.invoke(QUESTION)
    return [answer.content, answer.response_metadata["finish_reason"], answer.usage_metadata["total_tokens"] > 0]


def chain_stream():
    pieces = list(CHAIN.stream(QUESTION, stream_usage=True))
    used = [piece.usage_metadata["total_tokens"] for piece in pieces if piece.usage_metadata]
    return ["".join(piece.content for piece in pieces), len(used), used[-1] > 0]


def chain_tools():
    script(tool_calls=[{"name": "get_weather", "arguments": {"city": "Paris"}}], replies=["It is sunny."])
    armed = CHAIN.bind_tools([WEATHER])
    asked = armed.invoke(QUESTION)
    call = asked.tool_calls[0]
    answer = armed.invoke([HumanMessage(QUESTION), asked, ToolMessage("sunny", tool_call_id=call["id"])])
    return [call["name"], call["args"], answer.content]


def chain_tools_stream():
    script(tool_calls=[{"name": "get_weather", "arguments": {"city": "Paris"}}])
    whole = None
    for piece in CHAIN.bind_tools([WEATHER]).stream(QUESTION):
        whole = piece if whole is None else whole + piece
    return [[call["name"], call["args"]] for call in whole.tool_calls]


def chain_json():
    script(replies=['{"city": "Paris"}'])
    return CHAIN.with_structured_output(WEATHER["parameters"] | {"title": "city"}, method="json_mode").invoke(
        "Answer in JSON with the key city: Paris."
    )


def chain_error():
    try:
        ChatOpenAI(model="no-such-model", base_url=BASE_URL, api_key=KEY, max_retries=0).invoke(QUESTION)
    except Exception as error:  # whichever class LangChain gives it
        return [type(error).__name__, error.status_code, error.code]
    return "not refused"


def llama_chat():
    return LLAMA.chat([ChatMessage(role="user", content=QUESTION)]).message.content


def llama_complete():
    return LLAMA.complete(QUESTION).text


def llama_stream():
    pieces = list(LLAMA.stream_chat([ChatMessage(role="user", content=QUESTION)]))
    return ["".join(piece.delta or "" for piece in pieces), pieces[-1].message.content]


def llama_by_default():
    """It does not take a model for a chat's unless it is told so, and asks for text completions."""
    pieces = list(PLAIN_LLAMA.stream_complete(QUESTION))
    return [PLAIN_LLAMA.complete(QUESTION).text, "".join(piece.delta or "" for piece in pieces)]


STEPS = [
    chain_chat, chain_stream, chain_tools, chain_tools_stream, chain_json, chain_error, llama_chat, llama_complete,
    llama_stream, llama_by_default,
]  # fmt: skip


def walk():
    results = {}
    for step in STEPS:
        script()
        try:
            results[step.__name__] = step()
        except Exception as error:  # a step that fails is a result to look at
            results[step.__name__] = f"failed: {type(error).__name__}: {error}"
    return results


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(walk(), ensure_ascii=False, default=str) + "\n")

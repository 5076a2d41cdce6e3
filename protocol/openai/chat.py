"""The request of `POST /v1/chat/completions`, as records: what is checked here and nowhere else.

The records check, and the OpenAPI document is made from them; `protocol/openai/chat_request.py` turns what was sent
into the vendor's words. What no record names (`enable_thinking`, `top_k`, …) is the vendor's affair and passed on.
`null` means absent everywhere.

Source: OpenAI API reference, create chat completion; DashScope HTTP reference §2.1.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

# --- parts of a message


class TextPart(Struct, kw_only=True, tag_field="type", tag="text"):
    text: str


class RefusalPart(Struct, kw_only=True, tag_field="type", tag="refusal"):
    refusal: str


class Picture(Struct, kw_only=True):
    """`url`: http(s), data: or oss:; `detail` low or high bounds or raises the resolution."""

    url: str
    detail: Literal["auto", "low", "high", "original"] | None = None


class ImagePart(Struct, kw_only=True, tag_field="type", tag="image_url"):
    image_url: Picture | str


class Sound(Struct, kw_only=True):
    """`data`: bare base64, as OpenAI has it, or a URL or data URI, as the vendor has it."""

    data: Annotated[str, Meta(min_length=1)]
    format: str | None = None


class SoundPart(Struct, kw_only=True, tag_field="type", tag="input_audio"):
    input_audio: Sound


class Link(Struct, kw_only=True):
    url: str


class VideoUrlPart(Struct, kw_only=True, tag_field="type", tag="video_url"):
    video_url: Link | str


class FramesPart(Struct, kw_only=True, tag_field="type", tag="video"):
    video: list[str] | str


class FileSource(Struct, kw_only=True):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(Struct, kw_only=True, tag_field="type", tag="file"):
    file: FileSource


UserPart = TextPart | ImagePart | SoundPart | VideoUrlPart | FramesPart | FilePart

# --- messages


class CalledFunction(Struct, kw_only=True):
    name: str
    arguments: str


class FunctionToolCall(Struct, kw_only=True, tag_field="type", tag="function"):
    id: str
    function: CalledFunction


class CustomToolCall(Struct, kw_only=True, tag_field="type", tag="custom"):
    id: str
    custom: Any = None


class AudioReference(Struct, kw_only=True):
    id: str


class SystemMessage(Struct, kw_only=True, tag_field="role", tag="system"):
    content: str | list[TextPart]
    name: str | None = None


class DeveloperMessage(Struct, kw_only=True, tag_field="role", tag="developer"):
    content: str | list[TextPart]
    name: str | None = None


class UserMessage(Struct, kw_only=True, tag_field="role", tag="user"):
    content: str | list[UserPart]
    name: str | None = None


class AssistantMessage(Struct, kw_only=True, tag_field="role", tag="assistant"):
    content: str | list[TextPart | RefusalPart] | None = None
    refusal: str | None = None
    name: str | None = None
    audio: AudioReference | None = None
    tool_calls: list[FunctionToolCall | CustomToolCall] | None = None
    function_call: CalledFunction | None = None


class ToolMessage(Struct, kw_only=True, tag_field="role", tag="tool"):
    content: str | list[TextPart]
    tool_call_id: str


class FunctionMessage(Struct, kw_only=True, tag_field="role", tag="function"):
    content: str | None
    name: str


Message = SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage

# --- tools


class FunctionForm(Struct, kw_only=True):
    name: Annotated[str, Meta(min_length=1)]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionTool(Struct, kw_only=True, tag_field="type", tag="function"):
    function: FunctionForm


class CustomTool(Struct, kw_only=True, tag_field="type", tag="custom"):
    custom: Any = None


class FunctionName(Struct, kw_only=True):
    name: str


class NamedFunction(Struct, kw_only=True, tag_field="type", tag="function"):
    function: FunctionName


class NamedCustom(Struct, kw_only=True, tag_field="type", tag="custom"):
    custom: Any = None


class AllowedToolSet(Struct, kw_only=True):
    mode: Literal["auto", "required"]
    tools: list[NamedFunction | NamedCustom]


class AllowedTools(Struct, kw_only=True, tag_field="type", tag="allowed_tools"):
    allowed_tools: AllowedToolSet


# --- the form of the answer


class AnswerForm(Struct, kw_only=True):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: dict[str, Any] | None = None


class VoiceId(Struct, kw_only=True):
    id: str


class SpokenForm(Struct, kw_only=True):
    """How the answer is spoken, by models that speak."""

    voice: str | VoiceId | None = None
    format: Literal["wav", "mp3", "flac", "opus", "aac", "pcm16"] = "wav"


class StreamOptions(Struct, kw_only=True):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class WebSearch(Struct, kw_only=True):
    search_context_size: Literal["low", "medium", "high"] | None = None
    user_location: dict[str, Any] | None = None


Penalty = Annotated[float, Meta(ge=-2, le=2)]


class ChatRequest(Struct, kw_only=True):
    """A request whose every parameter has the right type and range. `model` may be left out: the server has one."""

    messages: Annotated[list[Message], Meta(min_length=1)]
    model: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    stop: str | list[str] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    seed: int | None = None
    response_format: AnswerForm | None = None
    tools: list[FunctionTool | CustomTool] | None = None
    tool_choice: Literal["none", "auto", "required"] | NamedFunction | AllowedTools | NamedCustom | None = None
    parallel_tool_calls: bool | None = None
    functions: list[FunctionForm] | None = None
    function_call: Literal["none", "auto"] | FunctionName | None = None
    modalities: list[Literal["text", "audio"]] | None = None
    audio: SpokenForm | None = None
    prediction: dict[str, Any] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    web_search_options: WebSearch | None = None
    moderation: Any = None
    service_tier: str | None = None
    store: bool | None = None
    metadata: dict[str, Any] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None

"""Settings: one frozen object made from the environment (and `.env`); nothing else of the project reads either.

Every field names its variables (the first is the one to use, the others are accepted too), its rule and its meaning.
`.env.example` and the tables of the README list the same names; a test compares them with the fields, both ways.
Raises: SettingsError naming the variable, the value and the rule.
"""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from config_rules import DEFAULT_REALTIME_TTS as DEFAULT_REALTIME_TTS
from config_rules import (
    FOLDER,
    HTTP,
    KEY,
    ORIGINS,
    PAIR,
    REALTIME,
    REDIS,
    SAMPLE_RATE,
    SECRET,
    SHARED_HOSTS,
    SWITCH,
    TEXT,
    TOKENS,
    WORKSPACE_REGIONS,
    WS,
    Rule,
    host_and_port,
    matching,
    number,
    one_of,
    setting,
    whole,
)
from config_rules import model_of as model_of
from protocol.keys import ApiKey

VERSION = "0.1.0"
"""The version of this server; nothing else writes it down."""


class SettingsError(Exception):
    """A variable whose value breaks its rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that an operator can choose. Invariant: every value has passed its rule."""

    # --- the vendor
    api_key: ApiKey = setting(
        "QWEN_API_KEY DASHSCOPE_API_KEY", ApiKey(""), KEY, "DashScope key; empty = the built-in emulator answers"
    )
    region: str = setting(
        "DASHSCOPE_REGION DASHSCOPE_API_REGION", "cn-beijing", one_of(*WORKSPACE_REGIONS), "Where the key belongs"
    )
    workspace_id: str = setting(
        "DASHSCOPE_WORKSPACE_ID",
        "",
        matching(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63})?", "1 to 64 letters, digits, - or _"),
        "Use this workspace's own host",
    )
    base_url: str = setting(
        "DASHSCOPE_BASE_URL DASHSCOPE_HTTP_BASE_URL",
        "",
        HTTP,
        "Native API; empty = the host of the region or workspace",
    )
    websocket_base_url: str = setting(
        "DASHSCOPE_WEBSOCKET_BASE_URL", "", WS, "Realtime recognition; empty = the host of REAL_TIME_AUDIO_URL"
    )
    chat_url: str = setting(
        "QWEN_API_CHAT_URL", "", HTTP, "Chat completions of any OpenAI-compatible server; empty = the region's"
    )
    chat_model: str = setting("QWEN_CHAT_MODEL", "qwen-plus", TEXT, "Answers spoken turns")
    vlm_model: str = setting("QWEN_VLM_MODEL", "qwen3-vl-plus", TEXT, "Answers questions about pictures")
    asr_model: str = setting(
        "QWEN_AUDIO_RECOGNIZE_MODEL DEFAULT_ASR_MODEL",
        "qwen3-asr-flash",
        TEXT,
        "Hears: *-realtime while packets arrive, *-flash in one call, others (paraformer-v2, fun-asr) as a file task",
    )
    file_asr_model: str = setting(
        "FILE_ASR_MODEL", "qwen3-asr-flash-filetrans", TEXT, "Transcribes uploads when times are asked for, and links"
    )
    diarization_model: str = setting(
        "DIARIZATION_ASR_MODEL", "fun-asr", TEXT, "Transcribes uploads when speakers are to be told apart"
    )
    translation_model: str = setting(
        "TRANSLATION_MODEL", "qwen3-livetranslate-flash", TEXT, "Translates uploads in one step; for whisper-1"
    )
    text_translation_model: str = setting(
        "TEXT_TRANSLATION_MODEL", "qwen-mt-flash", TEXT, "Translates the transcripts of uploads in two steps"
    )
    realtime_tts_url: str = setting(
        "REAL_TIME_AUDIO_URL",
        "",
        REALTIME,
        "Speaks turns; ends in ?model=…; empty = qwen3-tts-flash-realtime in the region",
    )
    tts_model: str = setting(
        "DEFAULT_TTS_MODEL", "qwen3-tts-flash", TEXT, "Reads texts aloud; speaks turns when the realtime voice fails"
    )
    instructed_tts_model: str = setting(
        "INSTRUCTED_TTS_MODEL",
        "qwen-audio-3.0-tts-flash",
        TEXT,
        "Speaks for OpenAI's model names when a request has instructions",
    )
    video_model: str = setting("DEFAULT_VIDEO_MODEL", "wan2.7-t2v", TEXT, "Makes videos; sora-2 stands for it")
    image_model: str = setting("DEFAULT_IMAGE_MODEL", "qwen-image-2.0", TEXT, "Draws from words")
    image_edit_model: str = setting("DEFAULT_IMAGE_EDIT_MODEL", "qwen-image-2.0", TEXT, "Draws from other pictures")
    tts_voice: str = setting("TTS_VOICE", "Cherry", TEXT, "The vendor's voice; a device may ask for another")
    tts_rate_hz: int = setting("TTS_SAMPLE_RATE", 24000, SAMPLE_RATE, "Hz of the spoken answer")
    model_aliases: str = setting(
        "MODEL_ALIASES",
        "",
        matching(rf"({PAIR}(,{PAIR})*)?", "name=model pairs with commas between them"),
        "More names for models, before OpenAI's own: gpt-4o=qwen3.7-plus,house-voice=cosyvoice-v3-flash",
    )
    retired_models: str = setting(
        "RETIRED_MODELS",
        "keep",
        one_of("keep", "replace"),
        "A request names a retired model: keep = ask for it all the same, replace = ask its successor",
    )
    system_prompt: str = setting(
        "DEFAULT_SYSTEM_PROMPT", "你是一个有帮助的助手。", TEXT, "What the model is told before every conversation"
    )
    # --- who may ask
    api_tokens: str = setting(
        "API_TOKENS QWEN_API_TOKEN", "", TOKENS, "Who may use this server's key: tokens or their sha256:…"
    )
    api_tokens_file: Path | None = setting(
        "API_TOKENS_FILE", None, FOLDER, "More of them, one a line as name sha256:…; empty = api_tokens in DATA_DIR"
    )
    key_pass_through: str = setting(
        "KEY_PASS_THROUGH",
        "auto",
        one_of("auto", "true", "false"),
        "Whether callers may bring a DashScope key of their own; auto = unless there are tokens",
    )
    allow_anonymous: bool = setting(
        "ALLOW_ANONYMOUS", False, SWITCH, "Whether everybody may use this server's key without a token"
    )
    allowed_origins: str = setting(
        "ALLOWED_ORIGINS", "", ORIGINS, "Web pages from elsewhere that may ask without a token, as https://…"
    )
    allowed_user_agents: str = setting(
        "ALLOWED_USER_AGENTS", "", TEXT, "Programs that may ask, as patterns with commas: OpenAI/*,curl/*; empty = all"
    )
    # --- where the server listens, what it writes
    host: str = setting(
        "HOST QWEN_HOST", "127.0.0.1", TEXT, "Address to listen on; 0.0.0.0 = every device of the network"
    )
    port: int = setting("PORT QWEN_PORT", 5000, whole(1, 65535), "Port to listen on")
    public_url: str = setting(
        "PUBLIC_BASE_URL", "", HTTP, "How the world reaches this server, for signed links; empty = this machine's own"
    )
    data_dir: Path = setting("DATA_DIR", Path("data"), FOLDER, "Everything the server writes")
    tts_output_dir: Path | None = setting(
        "TTS_OUTPUT_DIR", None, FOLDER, "Keep every spoken answer here as a file; empty = do not keep them"
    )
    log_level: str = setting("LOG_LEVEL", "INFO", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "How much is logged")
    # --- storage
    oss_access_key_id: str = setting("ACCESSKEY_ID", "", TEXT, "OSS key; with BUCKET, recordings go there")
    oss_access_key_secret: ApiKey = setting("ACCESSKEY_SECRET", ApiKey(""), SECRET, "OSS key's secret")
    oss_bucket: str = setting("BUCKET", "", TEXT, "OSS bucket; empty = local files")
    oss_region: str = setting("REGIN REGION", "cn-beijing", TEXT, "The bucket's region")
    oss_endpoint: str = setting("OSS_ENDPOINT", "", HTTP, "Another address of OSS; empty = the region's")
    oss_signature: str = setting("OSS_SIGNATURE", "v1", one_of("v1", "v4"), "How OSS requests and links are signed")
    db_host: str = setting("DB_HOST", "", TEXT, "MySQL or MariaDB; empty = SQLite in DATA_DIR")
    db_port: int = setting("DB_PORT", 3306, whole(1, 65535), "MySQL port")
    db_user: str = setting("DB_USER", "", TEXT, "MySQL user")
    db_password: ApiKey = setting("DB_PASSWORD", ApiKey(""), SECRET, "MySQL password")
    db_name: str = setting("DB_NAME", "", TEXT, "MySQL database; must exist")
    recording_url_s: int = setting(
        "RECORDING_URL_SECONDS", 86400, whole(60, 31_536_000), "Life of a signed link, seconds"
    )
    recordings_keep_days: int = setting(
        "RECORDINGS_KEEP_DAYS", 0, whole(0, 36500), "Local recordings older than so many days are deleted; 0 = never"
    )
    journal_bytes: int = setting(
        "JOURNAL_MAX_BYTES",
        2**30,
        whole(2**20, 2**50),
        "Disk for what database or OSS do not take now, each",
    )
    # --- limits
    workers: int = setting("WORKERS", 1, whole(1, 64), "Processes; more than one on machines with more than two cores")
    max_ws_sessions: int = setting("MAX_WS_SESSIONS", 256, whole(1, 20000), "Open device connections per process")
    gc_interval_s: int = setting(
        "GC_INTERVAL_SECONDS",
        0,
        whole(0, 86400),
        "Each process looks for garbage so often, seconds; 0 = Python's own way",
    )
    http_threads: int = setting("HTTP_THREADS", 32, whole(2, 1000), "Threads per process beside the connections'")
    max_packet_bytes: int = setting("MAX_AUDIO_PACKET_BYTES", 8192, whole(256, 524_288), "Decoded bytes of one packet")
    max_vlm_packet_bytes: int = setting(
        "MAX_VLM_PACKET_BYTES", 51_200, whole(256, 524_288), "Decoded bytes of one packet of the picture socket"
    )
    max_packets: int = setting("MAX_PACKETS", 20000, whole(1, 1_000_000), "Packets of one utterance")
    max_utterance_bytes: int = setting(
        "MAX_UTTERANCE_BYTES", 16_777_216, whole(1024, 1_073_741_824), "Decoded bytes of one utterance"
    )
    max_utterance_s: float = setting(
        "MAX_UTTERANCE_SECONDS", 300.0, number(1, 43200), "Sound of one utterance, seconds"
    )
    max_speech_chars: int = setting(
        "MAX_SPEECH_CHARS", 20000, whole(1, 1_000_000), "Characters that one request may have read aloud"
    )
    max_picture_bytes: int = setting(
        "MAX_PICTURE_BYTES", 16_777_216, whole(1024, 268_435_456), "Decoded bytes of the pictures of one question"
    )
    max_picture_pixels: int = setting(
        "MAX_PICTURE_PIXELS", 100_000_000, whole(10_000, 1_000_000_000), "Pixels of one picture"
    )
    max_picture_side: int = setting(
        "MAX_PICTURE_SIDE", 2048, whole(64, 8192), "A picture's longer side is reduced to this, pixels"
    )
    packet_idle_s: float = setting(
        "PACKET_IDLE_SECONDS", 5.0, number(0.1, 3600), "Silence after which missing packets are named, seconds"
    )
    session_idle_s: float = setting(
        "SESSION_IDLE_SECONDS", 3600.0, number(1, 604800), "Silence in both directions that ends a connection, seconds"
    )
    send_stall_s: float = setting(
        "SEND_STALL_SECONDS", 60.0, number(1, 3600), "A device that takes no byte for so long is gone, seconds"
    )
    max_lead_s: float = setting(
        "TTS_MAX_LEAD_SECONDS",
        0.0,
        number(0, 3600),
        "Send sound at most so far ahead of playing, seconds; 0 = no limit",
    )
    history_turns: int = setting(
        "CONVERSATION_TURNS", 20, whole(0, 1000), "Turns of a conversation that the model is told; 0 = no memory"
    )
    history_tokens: int = setting(
        "CONVERSATION_TOKENS", 4000, whole(100, 1_000_000), "The same in tokens, about; the newest turns are kept"
    )
    history_summary: bool = setting(
        "CONVERSATION_SUMMARY", False, SWITCH, "Tell the model a summary of the turns before; costs a call now and then"
    )
    max_upload_bytes: int = setting(
        "MAX_UPLOAD_BYTES", 104_857_600, whole(1024, 2_147_483_648), "A recording to transcribe, bytes"
    )
    file_asr_s: float = setting(
        "FILE_ASR_SECONDS", 1800.0, number(1, 86400), "To transcribe a file with times or speakers, seconds"
    )
    image_s: float = setting("IMAGE_SECONDS", 300.0, number(1, 3600), "To draw a picture, seconds")
    connect_timeout_s: float = setting("UPSTREAM_CONNECT_SECONDS", 5.0, number(0.1, 60), "To reach the vendor, seconds")
    upstream_idle_s: float = setting(
        "UPSTREAM_IDLE_SECONDS", 30.0, number(0.1, 600), "The vendor's longest silence within a call, seconds"
    )
    chat_idle_s: float = setting(
        "CHAT_IDLE_SECONDS", 300.0, number(0.1, 3600), "The same within a chat completion over HTTP: models think first"
    )
    drain_s: float = setting(
        "DRAIN_SECONDS", 20.0, number(0, 3600), "Time for running turns when the server stops, seconds"
    )
    requests_per_minute: int = setting(
        "REQUESTS_PER_MINUTE", 0, whole(0, 1_000_000), "Requests of one caller in a minute; 0 = no limit"
    )
    max_streams_per_key: int = setting(
        "MAX_STREAMS_PER_KEY", 0, whole(0, 100_000), "Calls and connections of one caller at a time; 0 = no limit"
    )
    max_streams: int = setting(
        "MAX_STREAMS", 0, whole(0, 1_000_000), "Calls and connections of all callers at a time; 0 = no limit"
    )
    max_body_bytes: int = setting(
        "MAX_BODY_BYTES", 134_217_728, whole(1024, 2_147_483_648), "Bytes of one request, where no smaller limit holds"
    )
    redis_url: ApiKey = setting(
        "REDIS_URL", ApiKey(""), REDIS, "Where several workers or machines count together; empty = each for itself"
    )
    # --- media
    mp3_kbps: int = setting("MP3_BITRATE_KBPS", 64, whole(16, 160), "Bit rate of the spoken answer, kbit/s")
    ffmpeg_path: str = setting(
        "FFMPEG_PATH", "", TEXT, "ffmpeg for a second try at uploads that the decoder refuses; empty = none"
    )
    # --- the built-in emulator
    emulator_voice: str = setting(
        "EMULATOR_VOICE",
        "auto",
        one_of("auto", "espeak", "tones"),
        "Keyless runs: espeak-ng for people, tones for tests; auto = espeak-ng when it is installed",
    )
    emulator_ear: str = setting(
        "EMULATOR_EAR",
        "auto",
        one_of("auto", "tones", "sphinx"),
        "Keyless runs: tones, or sphinx for some English phrases; auto = both",
    )

    @property
    def is_keyless(self) -> bool:
        """Whether the built-in emulator answers: no key, here or from callers, and no server that needs none."""
        has_keys = bool(self.api_key) or self.key_pass_through == "true"
        return not has_keys and not self.chat_url and not self.base_url

    @property
    def token_file(self) -> Path:
        """Where tokens are kept."""
        return self.api_tokens_file or self.data_dir / "api_tokens"

    @property
    def metrics_folder(self) -> Path | None:
        """Where workers write their numbers, None when there is but one."""
        return self.data_dir / "metrics" if self.workers > 1 else None

    @property
    def bind(self) -> str:
        """The address to listen on, as servers write it."""
        return host_and_port(self.host, self.port)

    @property
    def local_url(self) -> str:
        """Where this machine itself reaches the server."""
        here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://{host_and_port(here, self.port)}"

    def with_emulator(self, *, url: str) -> "Settings":
        """Return these settings with every vendor address at an emulator listening on `url` (http://host:port)."""
        realtime = "ws" + url.removeprefix("http") + "/api-ws/v1/realtime"
        return dataclasses.replace(
            self,
            api_key=self.api_key or ApiKey("sk-emulator"),
            base_url=f"{url}/api/v1",
            chat_url=f"{url}/compatible-mode/v1/chat/completions",
            realtime_tts_url=f"{realtime}?model={model_of(self.realtime_tts_url) or DEFAULT_REALTIME_TTS}",
            websocket_base_url=realtime.removesuffix("/realtime"),
        )

    def resolved(self) -> "Settings":
        """Return these settings with every empty address filled in from region and workspace."""
        host = self._vendor_host()
        realtime = self.realtime_tts_url or f"wss://{host}/api-ws/v1/realtime?model={DEFAULT_REALTIME_TTS}"
        return dataclasses.replace(
            self,
            base_url=self.base_url or f"https://{host}/api/v1",
            chat_url=self.chat_url or f"https://{host}/compatible-mode/v1/chat/completions",
            realtime_tts_url=realtime,
            websocket_base_url=self.websocket_base_url or realtime.partition("?")[0].removesuffix("/realtime"),
            public_url=self.public_url or self.local_url,
        )

    def _vendor_host(self) -> str:
        if self.workspace_id:
            return f"{self.workspace_id}.{self.region}.maas.aliyuncs.com"
        if self.region not in SHARED_HOSTS:
            raise SettingsError(
                f"DASHSCOPE_REGION={self.region!r} is not valid alone: this region is reached through a workspace, "
                "so DASHSCOPE_WORKSPACE_ID must be set too."
            )
        return SHARED_HOSTS[self.region]


def load(environ: Mapping[str, str] | None = None, *, env_file: Path = Path(".env")) -> Settings:
    """Return this process's settings: the environment first, then `.env`, then the defaults. Raises: SettingsError."""
    if environ is None:
        from_file = {name: value for name, value in dotenv_values(env_file).items() if value is not None}
        environ = from_file | dict(os.environ)
    values = (_read(field, environ) for field in dataclasses.fields(Settings))
    settings = Settings(**{name: value for name, value in values if value is not None})
    settings.resolved()  # what is wrong only together is said now, not at the first call
    return settings


def announce_metrics(folder: Path) -> None:
    """Tell the metrics library, before it is imported, where the workers of this server write their values."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _read(field: "dataclasses.Field[Any]", environ: Mapping[str, str]) -> tuple[str, Any]:
    """Return (field name, value), the value None when no variable of the field says anything."""
    rule: Rule = field.metadata["rule"]
    for name in field.metadata["names"]:
        text = environ.get(name, "").strip()
        if not text:
            continue
        try:
            return field.name, rule.parse(text)
        except (ValueError, LookupError):
            shown = "***" if rule.is_secret else repr(text)
            raise SettingsError(f"{name}={shown} is not valid: {name} must be {rule.words}.") from None
    return field.name, None

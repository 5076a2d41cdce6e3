"""Settings: names, rules, sources, shortcuts, and that what is written about them is so."""

import dataclasses
import itertools
import re
from pathlib import Path

import pytest
from dotenv import dotenv_values

import config
from config import Settings, SettingsError, load
from protocol.keys import ApiKey, digest
from services import catalogue

ROOT = Path(__file__).resolve().parent.parent
FIELDS = {field.metadata["names"][0]: field for field in dataclasses.fields(Settings)}

SEED_ENV = """
# Qwen API 配置
QWEN_API_KEY=your_api_key_here
QWEN_API_CHAT_URL=https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions
QWEN_CHAT_MODEL=qwen-plus
QWEN_VLM_MODEL=qwen-vl-plus
QWEN_AUDIO_RECOGNIZE_MODEL=paraformer-v1

# TTS 配置
REAL_TIME_AUDIO_URL=wss://dashscope.aliyuncs.com/api-ws/v1/realtime?model=qwen-tts-realtime
TTS_VOICE=Cherry
TTS_SAMPLE_RATE=24000
TTS_OUTPUT_DIR=tts_outputs

# OSS 配置
ACCESSKEY_ID=your_access_key_id
ACCESSKEY_SECRET=your_access_key_secret
BUCKET=your_bucket_name
REGIN=cn-beijing

# 数据库配置
DB_HOST=127.0.0.1
DB_PORT=3306
DB_USER=your_db_user
DB_PASSWORD=your_db_password
DB_NAME=your_db_name

# 系统配置
DEFAULT_SYSTEM_PROMPT="你是一个有帮助的助手。"
FFMPEG_PATH=/path/to/ffmpeg
"""
"""The `.env` that the project's first users have."""


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


# --- names and sources


def test_the_env_file_of_the_first_users_works_unchanged(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text(SEED_ENV, "utf-8")
    for name in dotenv_values(env_file):
        monkeypatch.delenv(name, raising=False)

    settings = load(env_file=env_file)

    assert settings == Settings(
        api_key=ApiKey("your_api_key_here"),
        chat_url="https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions",
        chat_model="qwen-plus",
        vlm_model="qwen-vl-plus",
        asr_model="paraformer-v1",
        realtime_tts_url="wss://dashscope.aliyuncs.com/api-ws/v1/realtime?model=qwen-tts-realtime",
        tts_voice="Cherry",
        tts_rate_hz=24000,
        tts_output_dir=Path("tts_outputs"),
        oss_access_key_id="your_access_key_id",
        oss_access_key_secret=ApiKey("your_access_key_secret"),
        oss_bucket="your_bucket_name",
        oss_region="cn-beijing",
        db_host="127.0.0.1",
        db_port=3306,
        db_user="your_db_user",
        db_password=ApiKey("your_db_password"),
        db_name="your_db_name",
        system_prompt="你是一个有帮助的助手。",
        ffmpeg_path="/path/to/ffmpeg",
    )


def test_every_name_of_the_first_users_is_a_field() -> None:
    names = set(re.findall(r"^(\w+)=", SEED_ENV, re.MULTILINE))

    assert names <= set(FIELDS)


@pytest.mark.parametrize(
    "field", [f for f in dataclasses.fields(Settings) if f.metadata["names"][1:]], ids=lambda f: f.name
)
def test_other_accepted_names_mean_the_same_and_the_first_name_wins(field: "dataclasses.Field[object]") -> None:
    first, *others = field.metadata["names"]
    value = {"region": "us-east-1", "base_url": "https://a.example/v1", "port": "80"}.get(field.name, "some-value")

    by_first = load({first: value})

    assert all(load({other: value}) == by_first != load({}) for other in others)
    assert all(load({other: "eu-central-1", first: value}) == by_first for other in others)


def test_no_name_belongs_to_two_fields() -> None:
    names = [name for field in dataclasses.fields(Settings) for name in field.metadata["names"]]

    assert len(names) == len(set(names))


def test_the_environment_goes_before_the_env_file(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text("PORT=6001\nTTS_VOICE=Ethan\n")
    monkeypatch.delenv("TTS_VOICE", raising=False)
    monkeypatch.setenv("PORT", "6002")

    settings = load(env_file=env_file)

    assert (settings.port, settings.tts_voice) == (6002, "Ethan")


def test_an_empty_variable_in_the_environment_takes_a_value_of_the_env_file_back(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text("QWEN_API_KEY=sk-from-file\n")
    monkeypatch.setenv("QWEN_API_KEY", "")

    assert load(env_file=env_file).is_keyless


def test_no_variable_at_all_gives_the_defaults() -> None:
    assert load({}) == Settings() == load(dict.fromkeys(FIELDS, "  "))


# --- rules

ACCEPTED = {
    "API_TOKENS": [f"sha256:{'0a' * 32}", f"sha256:{'0a' * 32},sha256:{'1b' * 32}"],
    "KEY_PASS_THROUGH": ["auto", "true", "false"],
    "ALLOW_ANONYMOUS": ["true", "false"],
    "ALLOWED_ORIGINS": ["https://a.example", "https://a.example,http://localhost:3000"],
    "REQUESTS_PER_MINUTE": ["0", "60"],
    "MAX_STREAMS_PER_KEY": ["0", "100000"],
    "MAX_STREAMS": ["0", "1000000"],
    "MAX_BODY_BYTES": ["1024"],
    "REDIS_URL": ["redis://127.0.0.1:6379/0", "rediss://:word@cache.example"],
    "PORT": ["1", "65535", " 5000 "],
    "DB_PORT": ["3307"],
    "WORKERS": ["1", "64"],
    "MAX_WS_SESSIONS": ["20000"],
    "GC_INTERVAL_SECONDS": ["0", "300"],
    "HTTP_THREADS": ["2"],
    "MAX_AUDIO_PACKET_BYTES": ["256"],
    "MAX_VLM_PACKET_BYTES": ["524288"],
    "MAX_PICTURE_BYTES": ["1024"],
    "MAX_PICTURE_PIXELS": ["10000"],
    "MAX_PICTURE_SIDE": ["64", "8192"],
    "MAX_PACKETS": ["1"],
    "MAX_UTTERANCE_BYTES": ["1024"],
    "MAX_UTTERANCE_SECONDS": ["1", "43200"],
    "MAX_SPEECH_CHARS": ["1", "1000000"],
    "PACKET_IDLE_SECONDS": ["0.1", "2.5"],
    "SESSION_IDLE_SECONDS": ["1"],
    "SEND_STALL_SECONDS": ["3600"],
    "TTS_MAX_LEAD_SECONDS": ["0", "1.5"],
    "CONVERSATION_TURNS": ["0"],
    "CONVERSATION_TOKENS": ["100"],
    "CONVERSATION_SUMMARY": ["true", "false"],
    "MAX_UPLOAD_BYTES": ["1024"],
    "FILE_ASR_SECONDS": ["1", "86400"],
    "IMAGE_SECONDS": ["1", "3600"],
    "UPSTREAM_CONNECT_SECONDS": ["0.1"],
    "UPSTREAM_IDLE_SECONDS": ["600"],
    "CHAT_IDLE_SECONDS": ["0.1", "3600"],
    "DRAIN_SECONDS": ["0"],
    "RECORDING_URL_SECONDS": ["60"],
    "RECORDINGS_KEEP_DAYS": ["0", "36500"],
    "JOURNAL_MAX_BYTES": ["1048576"],
    "OSS_ENDPOINT": ["https://oss-cn-beijing-internal.aliyuncs.com", "http://127.0.0.1:8900"],
    "OSS_SIGNATURE": ["v4"],
    "MP3_BITRATE_KBPS": ["16", "160"],
    "TTS_SAMPLE_RATE": ["8000", "48000"],
    "LOG_LEVEL": ["DEBUG"],
    "EMULATOR_VOICE": ["tones"],
    "EMULATOR_EAR": ["sphinx"],
    "DASHSCOPE_REGION": ["ap-southeast-1"],
    "DASHSCOPE_WORKSPACE_ID": ["ws-1a2B_3"],
    "DASHSCOPE_BASE_URL": ["http://127.0.0.1:8900/api/v1"],
    "DASHSCOPE_WEBSOCKET_BASE_URL": ["ws://127.0.0.1:8900/api-ws/v1"],
    "QWEN_API_CHAT_URL": ["https://example.com/v1/chat/completions"],
    "REAL_TIME_AUDIO_URL": ["wss://example.com/api-ws/v1/realtime?model=m"],
    "PUBLIC_BASE_URL": ["https://voice.example.com"],
    "QWEN_API_KEY": ["sk-0123456789abcdef"],
    "MODEL_ALIASES": ["gpt-4o=qwen3.7-plus", "a=b, gpt-4o = qwen-max"],
    "RETIRED_MODELS": ["replace"],
}
REFUSED = {
    "API_TOKENS": ["two words", "令牌", "sk-a,,sk-b"],
    "KEY_PASS_THROUGH": ["yes"],
    "ALLOW_ANONYMOUS": ["1"],
    "ALLOWED_ORIGINS": ["*", "a.example", "https://a.example/path"],
    "REQUESTS_PER_MINUTE": ["-1"],
    "MAX_STREAMS_PER_KEY": ["100001"],
    "MAX_STREAMS": ["many"],
    "MAX_BODY_BYTES": ["1023"],
    "REDIS_URL": ["127.0.0.1:6379", "http://cache.example"],
    "PORT": ["0", "65536", "http", "5000.5", "-1"],
    "DB_PORT": ["none"],
    "WORKERS": ["0", "65"],
    "MAX_WS_SESSIONS": ["0", "many"],
    "GC_INTERVAL_SECONDS": ["-1", "86401"],
    "HTTP_THREADS": ["1"],
    "MAX_AUDIO_PACKET_BYTES": ["255", "8KB"],
    "MAX_VLM_PACKET_BYTES": ["255"],
    "MAX_PICTURE_BYTES": ["1023"],
    "MAX_PICTURE_PIXELS": ["9999"],
    "MAX_PICTURE_SIDE": ["63"],
    "MAX_PACKETS": ["0"],
    "MAX_UTTERANCE_BYTES": ["1023"],
    "MAX_UTTERANCE_SECONDS": ["0", "nan"],
    "MAX_SPEECH_CHARS": ["0", "1000001"],
    "PACKET_IDLE_SECONDS": ["0", "5s"],
    "SESSION_IDLE_SECONDS": ["inf"],
    "SEND_STALL_SECONDS": ["0"],
    "TTS_MAX_LEAD_SECONDS": ["-0.1"],
    "CONVERSATION_TURNS": ["1001"],
    "CONVERSATION_TOKENS": ["99"],
    "CONVERSATION_SUMMARY": ["1"],
    "MAX_UPLOAD_BYTES": ["1023"],
    "FILE_ASR_SECONDS": ["0.5"],
    "IMAGE_SECONDS": ["0.5", "long"],
    "UPSTREAM_CONNECT_SECONDS": ["61"],
    "UPSTREAM_IDLE_SECONDS": ["0"],
    "CHAT_IDLE_SECONDS": ["3601"],
    "DRAIN_SECONDS": ["-1"],
    "RECORDING_URL_SECONDS": ["59"],
    "RECORDINGS_KEEP_DAYS": ["-1", "1.5"],
    "JOURNAL_MAX_BYTES": ["1000"],
    "OSS_ENDPOINT": ["oss-cn-beijing.aliyuncs.com"],
    "OSS_SIGNATURE": ["v2"],
    "MP3_BITRATE_KBPS": ["320"],
    "TTS_SAMPLE_RATE": ["44100", "24k"],
    "LOG_LEVEL": ["debug", "LOUD"],
    "EMULATOR_VOICE": ["human"],
    "EMULATOR_EAR": ["dog"],
    "DASHSCOPE_REGION": ["beijing"],
    "DASHSCOPE_WORKSPACE_ID": ["evil.example.com/", "-a"],
    "DASHSCOPE_BASE_URL": ["dashscope.aliyuncs.com", "wss://example.com", "https://"],
    "DASHSCOPE_WEBSOCKET_BASE_URL": ["https://example.com"],
    "QWEN_API_CHAT_URL": ["file:///etc/passwd"],
    "REAL_TIME_AUDIO_URL": ["wss://example.com/api-ws/v1/realtime", "https://example.com/?model=m"],
    "PUBLIC_BASE_URL": ["voice.example.com"],
    "QWEN_API_KEY": ["sk-two words", "密钥"],
    "MODEL_ALIASES": ["gpt-4o", "gpt-4o=", "a=b=c", "a=b,,c=d"],
    "RETIRED_MODELS": ["drop"],
}
_FREE = ("a text", "a folder")


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in ACCEPTED.items() for text in texts])
def test_a_value_that_keeps_its_rule_is_taken(name: str, text: str) -> None:
    taken = getattr(load({name: text}), FIELDS[name].name)

    assert (taken.reveal() if isinstance(taken, ApiKey) else shown(taken)) == text.strip()


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in REFUSED.items() for text in texts])
def test_a_value_that_breaks_its_rule_is_refused_by_name_value_and_rule(name: str, text: str) -> None:
    field = FIELDS[name]
    rule = field.metadata["rule"]

    with pytest.raises(SettingsError) as refusal:
        load({name: text})

    shown = "***" if rule.is_secret else repr(text)
    assert str(refusal.value) == f"{name}={shown} is not valid: {name} must be {rule.words}."


def test_every_rule_is_tried_both_ways() -> None:
    ruled = {name for name, field in FIELDS.items() if field.metadata["rule"].words not in _FREE}

    assert ruled == set(ACCEPTED) == set(REFUSED)


def test_a_refused_value_names_the_variable_that_was_used() -> None:
    with pytest.raises(SettingsError, match=r"^DASHSCOPE_HTTP_BASE_URL='nowhere' is not valid"):
        load({"DASHSCOPE_HTTP_BASE_URL": "nowhere"})


def test_of_a_token_only_its_hash_is_kept() -> None:
    settings = load({"API_TOKENS": "sk-hush-4, sk-hush-5"})

    assert settings.api_tokens == f"sha256:{digest('sk-hush-4')},sha256:{digest('sk-hush-5')}"
    assert "hush" not in repr(settings)


def test_origins_are_compared_in_one_spelling() -> None:
    assert (
        load({"ALLOWED_ORIGINS": "HTTPS://App.Example/ , http://b"}).allowed_origins == "https://app.example,http://b"
    )


def test_a_server_for_callers_with_keys_of_their_own_starts_no_emulator() -> None:
    assert load({}).is_keyless and not load({"KEY_PASS_THROUGH": "true"}).is_keyless


def test_no_secret_is_ever_shown() -> None:
    secrets = {"QWEN_API_KEY": "sk-hush-1", "ACCESSKEY_SECRET": "hush-2 ü", "DB_PASSWORD": "hush-3 密码"}

    settings = load(secrets)

    assert "hush" not in repr(settings) + str(settings)
    assert [getattr(settings, FIELDS[name].name).reveal() for name in secrets] == list(secrets.values())


def test_a_refused_key_is_not_repeated_anywhere_in_the_error() -> None:
    with pytest.raises(SettingsError) as refusal:
        load({"QWEN_API_KEY": "sk-hush hush"})

    assert "hush" not in repr(refusal.value)
    assert refusal.value.__cause__ is None and refusal.value.__suppress_context__


# --- shortcuts


def test_without_a_region_the_addresses_are_those_of_beijing() -> None:
    settings = load({"QWEN_API_KEY": "k"}).resolved()

    assert settings.base_url == "https://dashscope.aliyuncs.com/api/v1"
    assert settings.chat_url == "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions"
    assert settings.realtime_tts_url == "wss://dashscope.aliyuncs.com/api-ws/v1/realtime?model=qwen3-tts-flash-realtime"
    assert settings.websocket_base_url == "wss://dashscope.aliyuncs.com/api-ws/v1"


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("ap-southeast-1", "dashscope-intl.aliyuncs.com"),
        ("us-east-1", "dashscope-us.aliyuncs.com"),
        ("cn-hongkong", "cn-hongkong.dashscope.aliyuncs.com"),
    ],
)
def test_a_region_chooses_every_host(region: str, host: str) -> None:
    settings = load({"DASHSCOPE_REGION": region}).resolved()

    addresses = (settings.base_url, settings.chat_url, settings.realtime_tts_url, settings.websocket_base_url)

    assert all(address.split("/")[2] == host for address in addresses)


def test_a_workspace_has_a_host_of_its_own_in_its_region() -> None:
    settings = load({"DASHSCOPE_WORKSPACE_ID": "ws-7", "DASHSCOPE_REGION": "eu-central-1"}).resolved()

    assert settings.base_url == "https://ws-7.eu-central-1.maas.aliyuncs.com/api/v1"


def test_a_region_without_shared_host_asks_for_the_workspace_at_once() -> None:
    with pytest.raises(SettingsError, match=r"DASHSCOPE_REGION='eu-central-1'.*DASHSCOPE_WORKSPACE_ID"):
        load({"DASHSCOPE_REGION": "eu-central-1"})


def test_an_address_that_is_set_stays_as_it_is() -> None:
    chosen = {"DASHSCOPE_BASE_URL": "https://a.example/api/v1/", "DASHSCOPE_REGION": "us-east-1"}

    settings = load(chosen).resolved()

    assert settings.base_url == "https://a.example/api/v1"


def test_recognition_connects_to_the_host_of_the_realtime_voice() -> None:
    settings = load({"REAL_TIME_AUDIO_URL": "wss://voice.example/api-ws/v1/realtime?model=m"}).resolved()

    assert settings.websocket_base_url == "wss://voice.example/api-ws/v1"


def test_the_emulator_takes_the_place_of_every_address_of_the_vendor() -> None:
    settings = load({}).with_emulator(url="http://127.0.0.1:8900").resolved()

    addresses = (settings.base_url, settings.chat_url, settings.realtime_tts_url, settings.websocket_base_url)

    assert all(address.split("/")[2] == "127.0.0.1:8900" for address in addresses)
    assert settings.api_key and config.model_of(settings.realtime_tts_url) == config.DEFAULT_REALTIME_TTS


@pytest.mark.parametrize("name", ["QWEN_API_KEY", "DASHSCOPE_API_KEY", "QWEN_API_CHAT_URL", "DASHSCOPE_BASE_URL"])
def test_a_key_or_an_address_leaves_the_emulator_out(name: str) -> None:
    assert not load({name: "https://example.com/"}).is_keyless


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:5000"),
        ("0.0.0.0", "http://127.0.0.1:5000"),
        ("::", "http://[::1]:5000"),
        ("box.local", "http://box.local:5000"),
    ],
)
def test_links_name_an_address_that_can_be_opened(host: str, url: str) -> None:
    assert load({"HOST": host}).resolved().public_url == url


# --- models in service


def test_no_default_model_is_retired() -> None:
    settings = load({}).resolved()

    models = (settings.chat_model, settings.vlm_model, settings.asr_model, settings.tts_model)

    assert not list(catalogue.retired_among(*models, config.model_of(settings.realtime_tts_url)))


def test_successors_are_in_service() -> None:
    assert not set(catalogue.RETIRED) & set(catalogue.RETIRED.values())


# --- what is written about them


def shown(default: object) -> str:
    """Return a default as a person writes it."""
    if default is None or isinstance(default, ApiKey):
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_the_example_file_is_the_defaults() -> None:
    example = dotenv_values(ROOT / ".env.example")

    assert example == {name: shown(field.default) for name, field in FIELDS.items()}
    assert load(example) == Settings()


def test_the_example_file_explains_each_field_and_names_its_other_names() -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    explained = {line.partition("=")[0]: above for above, line in itertools.pairwise(lines) if "=" in line}

    for name, field in FIELDS.items():
        others = field.metadata["names"][1:]
        also = f" (also read as {', '.join(others)})" if others else ""
        assert explained[name] == f"# {field.metadata['doc']}{also}"


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_table_of_a_readme_lists_every_field_with_its_names_and_default(readme: str) -> None:
    text = (ROOT / readme).read_text("utf-8")
    rows = re.findall(r"^\| `([A-Z0-9_]+)`(.*?) \| (?:`(.*?)`)? ?\| (.+?) \|$", text, re.MULTILINE)

    assert {name: default for name, _, default, _ in rows} == {name: shown(f.default) for name, f in FIELDS.items()}
    assert {name: re.findall(r"`(\w+)`", also) for name, also, _, _ in rows} == {
        name: field.metadata["names"][1:] for name, field in FIELDS.items()
    }


def test_the_english_table_says_what_the_fields_say() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    meanings = dict(re.findall(r"^\| `([A-Z0-9_]+)`.* \| (.+?) \|$", text, re.MULTILINE))

    assert meanings == {name: field.metadata["doc"].replace("|", "\\|") for name, field in FIELDS.items()}

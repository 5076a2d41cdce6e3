"""Build the server out of its parts, and run it. Parts are made and joined here, the HTTP doors in `doors.py`."""

import logging
import sys
import tempfile
from dataclasses import replace

from flask import Blueprint, Flask
from sqlalchemy import URL

import config
import doors
from config import Settings
from protocol.packets import Limits as PacketLimits
from providers.dashscope import recognisers
from providers.dashscope.chat import CompatibleChat
from providers.dashscope.reach import reach
from providers.dashscope.transport import Transport
from providers.dashscope.tts_http import HttpSynthesiser
from providers.dashscope.tts_realtime import RealtimeSynthesiser
from routes import (
    audio_websocket,
    errors,
    gate,
    health,
    history_api,
    metrics_api,
    openapi,
    pages,
    socket,
    vlm_websocket,
)
from routes.auth import Auth
from services import catalogue
from services.admission.access import Access, AccessRules, TokenList
from services.admission.limits import Limits
from services.history import SpokenHistory
from services.limit_ports import LimitRules
from services.memory import MemoryRules
from services.metrics import Metrics
from services.pictures import PictureRules
from services.readiness import Dependency, Readiness
from services.session import SessionRules
from services.sessions import Sessions
from services.turn import Engines
from services.turns import TurnRules
from storage.database import mysql_url, sqlite_url
from storage.opening import BucketRules, Storage, StorageRules, open_storage
from storage.own_counts import OwnCounts
from storage.tokens import TokenFile

_log = logging.getLogger("app")


def create_app(settings: Settings) -> Flask:
    """Return the server for these settings; without a key it brings its own emulator along."""
    app = Flask("app", static_folder=None)
    has_public_urls = bool(settings.public_url or settings.oss_bucket)
    settings = _with_vendor(settings, app)
    storage = app.extensions["storage"] = _open_storage(settings)
    transport = doors.open_transport(settings, idle_s=settings.upstream_idle_s)
    metrics = Metrics(folder=settings.metrics_folder)
    engines = _build_engines(settings, transport, storage, has_public_urls=has_public_urls)
    engines = replace(engines, meter=metrics)
    sessions = app.extensions["sessions"] = Sessions(settings.max_ws_sessions)
    rules, picture_rules = _session_rules(settings), _picture_session_rules(settings)
    seeing = replace(engines, chat=CompatibleChat(transport, url=settings.chat_url, model=settings.vlm_model))
    socket.prepare(app, stall_s=settings.send_stall_s)
    access = _access(settings, is_emulator="emulator" in app.extensions)
    gate.register(
        app,
        auth=_auth(settings, access),
        limits=_limits(settings),
        metrics=metrics,
        max_body_bytes=settings.max_body_bytes,
    )
    errors.register(app)
    app.register_blueprint(audio_websocket.blueprint(engines, rules, sessions=sessions))
    app.register_blueprint(vlm_websocket.blueprint(seeing, picture_rules, sessions=sessions))
    for door in doors.chats(settings):
        app.register_blueprint(door)
    app.register_blueprint(doors.models(settings, transport))
    app.register_blueprint(doors.speech(settings, transport))
    app.register_blueprint(doors.transcription(settings, transport))
    app.register_blueprint(doors.translation(settings, transport))
    app.register_blueprint(doors.videos(settings, transport, storage))
    app.register_blueprint(doors.images(settings))
    app.register_blueprint(_history_door(storage))
    app.extensions["keys"] = access.in_words
    vendor = "emulator" if "emulator" in app.extensions else "vendor"
    app.register_blueprint(health.blueprint(access, _readiness(settings, storage, vendor=vendor)))
    app.register_blueprint(metrics_api.blueprint(metrics))
    app.register_blueprint(openapi.blueprint(version=config.VERSION))
    app.register_blueprint(pages.blueprint(storage.files, version=config.VERSION))
    return app


def _with_vendor(settings: Settings, app: Flask) -> Settings:
    """Point the settings at the vendor, or at an emulator that lives as long as this process."""
    if settings.is_keyless:
        settings = _with_emulator(settings, app)
    settings = settings.resolved()
    _warn_of_retired(settings)
    return settings


def _with_emulator(settings: Settings, app: Flask) -> Settings:
    import emulator  # only a keyless server pays for it

    try:
        embedded = emulator.start(voice=settings.emulator_voice, ear=settings.emulator_ear)
    except ValueError as error:
        raise config.SettingsError(f"EMULATOR_VOICE or EMULATOR_EAR is not possible here: {error}") from error
    app.extensions["emulator"] = embedded
    app.extensions["about"] = _about_emulator(settings)
    return settings.with_emulator(url=embedded.url)


def _about_emulator(settings: Settings) -> dict[str, str]:
    """Return what people should know before they wonder why they are not understood."""
    from emulator.listeners import has_sphinx, phrases
    from emulator.voice import has_espeak

    has_words = settings.emulator_voice != "tones" and has_espeak()
    has_phrases = settings.emulator_ear != "tones" and has_sphinx()
    return {
        "voice": "espeak-ng" if has_words else "tones; for words: apt-get install espeak-ng",
        "ear": f"its own tones and {len(phrases())} English phrases" if has_phrases else "its own tones, no speech",
    }


def _access(settings: Settings, *, is_emulator: bool) -> Access:
    rules = AccessRules(
        key=settings.api_key,
        is_emulator=is_emulator,
        pass_through={"true": True, "false": False}.get(settings.key_pass_through),
        allows_anonymous=settings.allow_anonymous,
    )
    return Access(rules, TokenList(_words(settings.api_tokens), TokenFile(settings.token_file)))


def _auth(settings: Settings, access: Access) -> Auth:
    return Auth(
        access,
        public_url=settings.public_url,
        allowed_origins=_words(settings.allowed_origins),
        user_agents=_words(settings.allowed_user_agents),
    )


def _limits(settings: Settings) -> Limits:
    rules = LimitRules(
        requests_per_minute=settings.requests_per_minute,
        streams_per_caller=settings.max_streams_per_key,
        streams=settings.max_streams,
    )
    if not settings.redis_url:
        return Limits(rules, OwnCounts(rules))
    from storage.shared_counts import SharedCounts  # only a server with Redis pays for its client

    return Limits(rules, SharedCounts(rules, url=settings.redis_url.reveal()))


def _readiness(settings: Settings, storage: Storage, *, vendor: str) -> Readiness:
    """Return who is asked whether all is well. Database and bucket may be away for a while: the journal bridges it."""
    return Readiness(
        (
            Dependency(name=vendor, ask=lambda: reach(settings.base_url, timeout_s=2.0), fresh_s=10.0),
            Dependency(name="data_folder", ask=lambda: tempfile.TemporaryFile(dir=settings.data_dir).close()),
            Dependency(name="database", ask=storage.history.ping, is_vital=False),
            Dependency(name="recordings", ask=lambda: storage.store.size_bytes("ready"), fresh_s=10.0, is_vital=False),
        )
    )


def _words(listed: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in listed.split(",")) if listed else ()


def _warn_of_retired(settings: Settings) -> None:
    spoken = config.model_of(settings.realtime_tts_url)
    models = (settings.chat_model, settings.vlm_model, settings.asr_model, settings.tts_model, spoken)
    drawing = (settings.image_model, settings.image_edit_model)
    for name, successor in catalogue.retired_among(*models, *drawing):
        _log.warning("model %s was retired by the vendor; its successor is %s", name, successor)


def _history_door(storage: Storage) -> Blueprint:
    spoken = SpokenHistory(storage.history.conversations, store=storage.store, local=storage.files)
    return history_api.blueprint(spoken)


def _open_storage(settings: Settings) -> Storage:
    bucket = BucketRules(
        access_key_id=settings.oss_access_key_id,
        secret=settings.oss_access_key_secret,
        bucket=settings.oss_bucket,
        region=settings.oss_region,
        endpoint=settings.oss_endpoint,
        signature=settings.oss_signature,
    )
    rules = StorageRules(
        data_dir=settings.data_dir,
        public_url=settings.public_url,
        url_s=settings.recording_url_s,
        journal_bytes=settings.journal_bytes,
        keep_days=settings.recordings_keep_days,
        bucket=bucket,
        database=_database_url(settings),
    )
    return open_storage(rules)


def _build_engines(settings: Settings, transport: Transport, storage: Storage, *, has_public_urls: bool) -> Engines:
    return Engines(
        recogniser=recognisers.build(
            settings.asr_model,
            transport,
            base_url=settings.base_url,
            websocket_url=settings.websocket_base_url,
            connect_s=settings.connect_timeout_s,
            idle_s=settings.upstream_idle_s,
            has_public_urls=has_public_urls,
        ),
        chat=CompatibleChat(transport, url=settings.chat_url, model=settings.chat_model),
        voices=(
            RealtimeSynthesiser(
                url=settings.realtime_tts_url,
                model=config.model_of(settings.realtime_tts_url),
                rate_hz=settings.tts_rate_hz,
                connect_s=settings.connect_timeout_s,
                idle_s=settings.upstream_idle_s,
            ),
            HttpSynthesiser(transport, base_url=settings.base_url, model=settings.tts_model),
        ),
        store=storage.store,
        history=storage.history,
        conversations=storage.history.conversations,
    )


def _database_url(settings: Settings) -> URL:
    if not settings.db_host:
        return sqlite_url(settings.data_dir / "history.sqlite3")
    return mysql_url(
        host=settings.db_host,
        port=settings.db_port,
        user=settings.db_user,
        password=settings.db_password,
        name=settings.db_name,
    )


def _session_rules(settings: Settings) -> SessionRules:
    if settings.tts_output_dir:
        settings.tts_output_dir.mkdir(parents=True, exist_ok=True)
    return SessionRules(
        limits=PacketLimits(
            packet_bytes=settings.max_packet_bytes,
            packets=settings.max_packets,
            total_bytes=settings.max_utterance_bytes,
        ),
        picture_limits=PacketLimits(
            packet_bytes=settings.max_vlm_packet_bytes,
            packets=settings.max_packets,
            total_bytes=settings.max_picture_bytes,
        ),
        pictures=PictureRules(max_side=settings.max_picture_side, max_pixels=settings.max_picture_pixels),
        max_utterance_s=settings.max_utterance_s,
        ffmpeg_path=settings.ffmpeg_path,
        packet_idle_s=settings.packet_idle_s,
        session_idle_s=settings.session_idle_s,
        drain_s=settings.drain_s,
        turns=TurnRules(
            voice=settings.tts_voice,
            tts_rate_hz=settings.tts_rate_hz,
            mp3_kbps=settings.mp3_kbps,
            max_lead_s=settings.max_lead_s,
            copies=settings.tts_output_dir,
        ),
        memory=MemoryRules(
            system_prompt=settings.system_prompt,
            turns=settings.history_turns,
            tokens=settings.history_tokens,
            has_summary=settings.history_summary,
        ),
    )


def _picture_session_rules(settings: Settings) -> SessionRules:
    """Return the rules of the picture socket, whose packets of both kinds are larger."""
    rules = _session_rules(settings)
    return replace(rules, limits=replace(rules.limits, packet_bytes=settings.max_vlm_packet_bytes))


def main() -> int:
    """Run the server until it is told to stop; returns the exit status."""
    from deploy.server import serve

    try:
        settings = config.load()
    except config.SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    serve(settings, create_app)
    return 0


if __name__ == "__main__":
    sys.exit(main())

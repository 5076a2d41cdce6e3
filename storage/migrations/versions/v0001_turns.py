"""Create the table of turns."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_LONG_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "turns",
        sa.Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
        sa.Column("turn_id", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(128), nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("finished_at", _MOMENT, nullable=False),
        sa.Column("key_fingerprint", sa.String(64), nullable=False),
        sa.Column("user_text", _LONG_TEXT, nullable=False),
        sa.Column("answer_text", _LONG_TEXT, nullable=False),
        sa.Column("answer_heard", _LONG_TEXT, nullable=False),
        sa.Column("interrupted", sa.Boolean(), nullable=False),
        sa.Column("audio_key", sa.String(512), nullable=False),
        sa.Column("audio_url", _LONG_TEXT, nullable=False),
        sa.Column("audio_seconds", sa.Double(), nullable=False),
        sa.Column("asr_model", sa.String(128), nullable=False),
        sa.Column("chat_model", sa.String(128), nullable=False),
        sa.Column("tts_model", sa.String(128), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("total_tokens", sa.Integer(), nullable=False),
        sa.Column("stages_ms", sa.JSON(), nullable=False),
        sa.Column("error_code", sa.String(128), nullable=False),
        sa.UniqueConstraint("turn_id", name="turns_once"),
        sa.UniqueConstraint("session_id", "started_at", "id", name="turns_by_session"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        if_not_exists=True,  # a start killed between this statement and the note in alembic_version comes here again
    )


def downgrade() -> None:
    op.drop_table("turns")

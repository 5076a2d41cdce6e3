"""Give every turn an owner and a conversation, and make the table of conversations.

Turns of before belong to their key, and the turns of one session are one conversation. Each step can be run again,
because MySQL commits each by itself: see `storage/migrate.py`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"

_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    _add_columns()
    _create_conversations()
    _fill()


def _add_columns() -> None:
    inspector = sa.inspect(op.get_bind())
    known = {column["name"] for column in inspector.get_columns("turns")}
    for name in ("owner", "conversation_id"):
        if name not in known:
            op.add_column("turns", sa.Column(name, sa.String(128), nullable=False, server_default=""))
    if "image_keys" not in known:
        op.add_column("turns", sa.Column("image_keys", sa.JSON(), nullable=True))
    if "turns_by_conversation" not in {index["name"] for index in inspector.get_indexes("turns")}:
        op.create_index("turns_by_conversation", "turns", ["owner", "conversation_id", "started_at", "id"])


def _create_conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("conversation_id", sa.String(128), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.UniqueConstraint("owner", "conversation_id", name="conversations_once"),
        sa.UniqueConstraint("owner", "updated_at", "id", name="conversations_by_use"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        if_not_exists=True,
    )


def _fill() -> None:
    op.execute("UPDATE turns SET owner = key_fingerprint, conversation_id = session_id WHERE conversation_id = ''")
    op.execute(
        "INSERT INTO conversations (owner, conversation_id, title, created_at, updated_at)"
        " SELECT t.owner, t.conversation_id, '', MIN(t.started_at), MAX(t.finished_at) FROM turns t"
        " WHERE NOT EXISTS (SELECT 1 FROM conversations c"
        " WHERE c.owner = t.owner AND c.conversation_id = t.conversation_id)"
        " GROUP BY t.owner, t.conversation_id"
    )
    op.execute(
        "UPDATE conversations SET title = (SELECT SUBSTR(t.user_text, 1, 80) FROM turns t"
        " WHERE t.owner = conversations.owner AND t.conversation_id = conversations.conversation_id"
        " ORDER BY t.started_at, t.id LIMIT 1) WHERE title = ''"
    )


def downgrade() -> None:
    op.drop_table("conversations")
    op.drop_index("turns_by_conversation", "turns")
    for name in ("image_keys", "conversation_id", "owner"):
        op.drop_column("turns", name)

"""Let a conversation have a summary of what was said before the turns that the model is told.

Each step can be run again, because MySQL commits each by itself: see `storage/migrate.py`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"

_LONG_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
_MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("conversations")}
    for column in (sa.Column("summary", _LONG_TEXT), sa.Column("summary_until", _MOMENT)):
        if column.name not in known:
            op.add_column("conversations", column)


def downgrade() -> None:
    for name in ("summary_until", "summary"):
        op.drop_column("conversations", name)

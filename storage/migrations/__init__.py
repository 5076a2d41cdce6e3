"""Alembic's home: `env.py` runs the revisions in `versions/`, oldest first, when a history is opened."""

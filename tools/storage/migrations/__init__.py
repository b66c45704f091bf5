"""Alembic's revisions, run by tools/storage/migrate.py at every start."""

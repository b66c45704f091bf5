"""Where everything that must not be lost is kept: one SQL database, SQLite by default, else PostgreSQL."""

"""What statements are executed on, whichever database it is."""

from sqlalchemy.ext.asyncio import AsyncConnection

from tools.storage.sqlite_file import SqliteConnection

# Both know `execute`, `info`, `begin` and `run_sync`.
Connection = AsyncConnection | SqliteConnection

"""A migrated SQLite file, made once a process and copied: migrating takes half of a small installation's start."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.storage.database import FILE_NAME, Database
from tools.storage.sqlite_file import create_privately

_made: list[bytes] = []


async def put_migrated(data_dir: Path) -> None:
    """Put an empty, migrated database where the one of `data_dir` is opened, unless there is one."""
    file = data_dir / FILE_NAME
    if file.exists():
        return
    if not _made:
        with TemporaryDirectory() as folder:
            await (await Database.open(None, data_dir=folder)).close()
            # Nothing is left beside it in a log of its own.
            assert os.listdir(folder) == [FILE_NAME]
            _made.append((Path(folder) / FILE_NAME).read_bytes())
    create_privately(file)
    file.write_bytes(_made[0])

"""What Chroma leaves of deleted collections; apart, because whoever starts a Chroma server imports no Chroma."""

import logging
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

logger = logging.getLogger(__name__)

_SEGMENT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def sweep(folder: Path) -> int:
    """Remove what deleted collections have left in a folder that nobody has open; return how many.

    Chroma 1.5.9 keeps their vectors on disk for ever: each ingest would add a whole base to them.
    """
    index = folder / "chroma.sqlite3"
    if not index.is_file():
        return 0
    try:
        with closing(sqlite3.connect(f"{index.absolute().as_uri()}?mode=rw", uri=True)) as conn:
            named = {str(row[0]) for row in conn.execute("SELECT id FROM segments")}
    except sqlite3.Error:
        # Whoever opens it says so, and sets it aside.
        return 0
    left = [path for path in folder.iterdir() if _SEGMENT.fullmatch(path.name) and path.name not in named]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    if left:
        logger.info("vectors of deleted collections removed count=%d", len(left))
    return len(left)

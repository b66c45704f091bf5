"""What deleting leaves in a file, and that it goes."""

import sqlite3
from pathlib import Path

from tools.storage.scrubbing import database_files, ids_in_bytes, scrub_sqlite

WORD = "0123456789abcdef" * 2


def test_deleted_words_are_in_the_files_until_they_are_scrubbed(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    conn = sqlite3.connect(path)
    conn.execute("PRAGMA secure_delete = OFF")
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("CREATE TABLE said (text TEXT)")
    for number in range(200):
        # One follows other hexadecimal digits, as ids in a row do.
        conn.execute("INSERT INTO said VALUES (?)", [f"{number:x}{WORD}" + "z" * 300])
    conn.execute("DELETE FROM said")
    conn.commit()

    assert ids_in_bytes(database_files(path), [WORD]) >= 200
    assert scrub_sqlite(path)
    assert ids_in_bytes(database_files(path), [WORD]) == 0
    assert [file.name for file in database_files(path)] == ["some.db", "some.db-wal"]
    conn.close()


def test_only_the_wanted_ids_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "some.bin"
    path.write_bytes(b"x" + WORD.encode() + b"x" + WORD[::-1].encode())

    assert ids_in_bytes([path], [WORD]) == 1
    assert ids_in_bytes([path], ["f" * 32]) == 0

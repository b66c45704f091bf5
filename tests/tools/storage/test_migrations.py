"""A database of each earlier revision, with rows in every table, comes to this version's tables and loses nothing."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import JSON, Connection, Engine, MetaData, Table, create_engine, make_url
from sqlalchemy import types as sql
from sqlalchemy.pool import NullPool

from tools.storage.database import FILE_NAME, Database
from tools.storage.migrate import revisions, upgrade
from tools.storage.schema import metadata

Rows = dict[str, list[dict[str, Any]]]

# What a column of a type holds. All texts are the same, so that every foreign key finds its row.
_VALUES: tuple[tuple[type[sql.TypeEngine[Any]], object], ...] = (
    (sql.Boolean, True),
    (sql.Integer, 7),
    (sql.Float, 0.5),
    (JSON, {"kept": [1, "é"]}),
    (sql.DateTime, datetime(2026, 3, 4, 10, 0, tzinfo=UTC)),
    (sql.LargeBinary, b"\x00\xff"),
    (sql.String, "kept é"),
)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the database is, or is to be made."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / FILE_NAME}"
    plain = make_url(request.getfixturevalue("postgres_url"))
    return plain.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


@pytest.mark.parametrize("revision", revisions()[:-1])
async def test_rows_of_an_earlier_revision_are_all_there(url: str, revision: str, tmp_path: Path) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as conn:
        upgrade(conn, "the test's", to=revision)
    tables = _reflected(engine)
    with engine.begin() as conn:
        for table in tables.sorted_tables:
            conn.execute(table.insert(), _row(table))
    before = _rows(engine, tables)
    assert {name for name, rows in before.items() if rows} >= {"conversations", "events", "turns", "bugs", "handoffs"}

    database = await Database.open(url, data_dir=tmp_path)
    async with database.reading() as conn:
        assert await conn.run_sync(_differences) == []
    await database.close()

    assert _rows(engine, tables) == before


def _reflected(engine: Engine) -> MetaData:
    """The tables as they are, without what Alembic keeps."""
    found = MetaData()
    found.reflect(engine)
    found.remove(found.tables["alembic_version"])
    return found


def _row(table: Table) -> dict[str, object]:
    return {column.name: _value(column.type) for column in table.columns}


def _value(kind: sql.TypeEngine[Any]) -> object:
    value = next((value for each, value in _VALUES if isinstance(kind, each)), None)
    assert value is not None, f"what does a column of {kind!r} hold?"
    # A type of SQLAlchemy's own is told a text and writes it as one.
    return json.dumps(value) if isinstance(value, dict) and not isinstance(kind, JSON) else value


def _rows(engine: Engine, tables: MetaData) -> Rows:
    with engine.connect() as conn:
        return {
            table.name: [dict(row._mapping) for row in conn.execute(table.select())] for table in tables.sorted_tables
        }


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))

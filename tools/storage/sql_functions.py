"""What SQLite and PostgreSQL say in different words, as functions of SQLAlchemy, in lower case as SQL's own are."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Double, Integer, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from tools.storage.columns import Json


class database_now(FunctionElement[float]):  # SQL functions are lower case in SQLAlchemy.
    """The database's own clock, in seconds since 1970."""

    inherit_cache = True
    type = Double()
    name = "database_now"


@compiles(database_now, "sqlite")
def _now_sqlite(element: database_now, compiler: SQLCompiler, **kw: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_now, "postgresql")
def _now_postgresql(element: database_now, compiler: SQLCompiler, **kw: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


class epoch_s(FunctionElement[float]):
    """A moment in seconds since 1970, to the millisecond."""

    inherit_cache = True
    type = Double()
    name = "epoch_s"


@compiles(epoch_s, "sqlite")
def _epoch_sqlite(element: epoch_s, compiler: SQLCompiler, **kw: Any) -> str:
    return f"((julianday({compiler.process(element.clauses, **kw)}) - 2440587.5) * 86400.0)"


@compiles(epoch_s, "postgresql")
def _epoch_postgresql(element: epoch_s, compiler: SQLCompiler, **kw: Any) -> str:
    return f"extract(epoch from {compiler.process(element.clauses, **kw)})::double precision"


class whole(FunctionElement[int]):
    """A number rounded down; for numbers from 0 on."""

    inherit_cache = True
    type = Integer()
    name = "whole"


@compiles(whole, "sqlite")
def _whole_sqlite(element: whole, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kw)} AS INTEGER)"


@compiles(whole, "postgresql")
def _whole_postgresql(element: whole, compiler: SQLCompiler, **kw: Any) -> str:
    return f"floor({compiler.process(element.clauses, **kw)})::integer"


class custom_number(FunctionElement[float]):
    """A number in the value of a CUSTOM event: `custom_number(events.c.event, literal("cost"))`."""

    inherit_cache = True
    type = Double()
    name = "custom_number"


@compiles(custom_number, "sqlite")
def _number_sqlite(element: custom_number, compiler: SQLCompiler, **kw: Any) -> str:
    event_json, key = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"json_extract({event_json}, '$.value.' || {key})"


@compiles(custom_number, "postgresql")
def _number_postgresql(element: custom_number, compiler: SQLCompiler, **kw: Any) -> str:
    event_json, key = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(({event_json})::json #>> ARRAY['value', {key}])::double precision"


def among(column: ColumnElement[str], values: Collection[str]) -> ColumnElement[bool]:
    """Return whether a column is one of any number of values, which go as one parameter.

    `in_` has a parameter for each: PostgreSQL takes 65,535 in a statement, SQLite by its build as few as 32,766.
    """
    return _among(column, literal(list(values), Json))


class _among(FunctionElement[bool]):
    inherit_cache = True
    type = Boolean()
    name = "among"


@compiles(_among, "sqlite")
def _among_sqlite(element: _among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({values})))"  # noqa: S608  # Both are SQLAlchemy's.


@compiles(_among, "postgresql")
def _among_postgresql(element: _among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({column} IN (SELECT jsonb_array_elements_text(CAST({values} AS jsonb))))"

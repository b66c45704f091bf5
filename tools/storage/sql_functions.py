"""What SQLite and PostgreSQL say in different words, as functions of SQLAlchemy, in lower case as SQL's own are."""

from typing import Any

from sqlalchemy import Double, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


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

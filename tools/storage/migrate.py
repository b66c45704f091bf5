"""Bringing a database to this version's tables."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from agent.errors import Misconfigured


def upgrade(connection: Connection, where: str, *, to: str = "head") -> None:
    """Run the migrations that the database hasn't had, up to revision `to`, in the caller's transaction.

    `where` names the database in messages.

    Raises:
        Misconfigured: a newer version of Helpgraph wrote the database.
    """
    scripts = _scripts()
    known = {script.revision for script in scripts.walk_revisions()}
    newest = scripts.get_current_head()

    def steps(current: Sequence[str], context: MigrationContext) -> Any:
        unknown = sorted(set(current) - known)
        if unknown:
            raise Misconfigured(
                f"the database {where} is at revision {unknown[0]!r}, which this Helpgraph doesn't know "
                f"(it ends at {newest!r}): a newer version has used it. Install that version again, or "
                "restore a backup from before the upgrade"
            )
        return scripts._upgrade_revs(to, tuple(current))  # type: ignore[arg-type]  # Alembic types it str.

    context = MigrationContext.configure(connection, opts={"fn": steps})
    with Operations.context(context):
        context.run_migrations()


def revisions() -> list[str]:
    """Every revision of the tables, the oldest first."""
    return [script.revision for script in _scripts().walk_revisions()][::-1]


@cache
def _scripts() -> ScriptDirectory:
    config = Config()
    # Alembic reads % as interpolation.
    location = str(Path(__file__).parent / "migrations").replace("%", "%%")
    config.set_main_option("script_location", location)
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)

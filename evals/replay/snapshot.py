"""A copy of what answers: articles, index, learnt models. Replays read copies, so that a server may run meanwhile.

Everything that turns write stays out of it: conversations, bugs, sessions. The copy is kept with the run until it is
finished, so that a run that is taken up again goes on with what it began with.
"""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from agent.errors import BadTurn, Misconfigured
from graphs.assembly import open_workspace
from graphs.settings import Settings
from tools.learned.shelf import ModelShelf
from tools.storage.database import Database
from tools.storage.knowledge import KnowledgeRows

_COPIED = ("learned",)
_SHARED = ("models",)
_CHROMA = "chroma.sqlite3"


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation answers with: the live articles, and the learnt models it used, the last one now."""

    generation_id: str
    articles: int
    passages: int
    history: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The folder of a copy, and what was live when it was made."""

    folder: Path
    installed: Installed


async def look_at(settings: Settings, snapshot: Path) -> Installed:
    """Say what the copy in `snapshot` answers with, or the installation itself when there is no copy.

    Raises:
        BadTurn: there is no article: there is nothing to replay with.
        Misconfigured: the installation can't be read.
    """
    workspace_id = open_workspace(settings).workspace_id
    copied = (snapshot / "whole").exists()
    data_dir = snapshot if copied else settings.data_dir
    db = await Database.open(None if copied else settings.database, data_dir=data_dir)
    try:
        live = await KnowledgeRows(db, workspace_id).live()
    finally:
        await db.close()
    if live is None:
        raise BadTurn("the knowledge base is empty, so nothing could be answered: `helpgraph ingest PATH` fills it")
    history = ModelShelf(data_dir, workspace_id).history()
    return Installed(live.generation_id, live.articles, live.passages, tuple(history))


async def take_snapshot(settings: Settings, folder: Path) -> Snapshot:
    """Copy what answers to `folder`, or open the copy that is there.

    Raises:
        BadTurn: there is no article: there is nothing to replay with.
        Misconfigured: the installation can't be read, or the disk can't hold the copy.
    """
    if not (folder / "whole").exists():
        await look_at(settings, folder)
        try:
            await asyncio.to_thread(_empty, folder)
            await _copy(settings, folder, open_workspace(settings).workspace_id)
            await asyncio.to_thread((folder / "whole").touch)
        except OSError as exc:
            raise Misconfigured(f"the installation can't be copied to {folder} ({exc.strerror})") from exc
    return Snapshot(folder, await look_at(settings, folder))


def for_worker(snapshot: Snapshot, number: int) -> Path:
    """Return a data folder that one worker may open: an index on disk has one owner."""
    folder = snapshot.folder.with_name(f"{snapshot.folder.name}-{number}")
    if not (folder / "whole").exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(snapshot.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("whole", "*.lock"))
        (folder / "whole").touch()
    return folder


def drop_snapshot(folder: Path) -> None:
    """Remove a copy and what was made from it for workers."""
    for path in folder.parent.glob(f"{folder.name}*"):
        shutil.rmtree(path, ignore_errors=True)


async def _copy(settings: Settings, folder: Path, workspace_id: str) -> None:
    source = await Database.open(settings.database, data_dir=settings.data_dir)
    try:
        rows = KnowledgeRows(source, workspace_id)
        live = await rows.live()
        if live is None:
            return
        articles, passages, questions = (
            await rows.articles(live.generation_id),
            await rows.passages(live.generation_id),
            await rows.questions(live.generation_id),
        )
    finally:
        await source.close()
    # Vectors first: an index that lacks entries of the texts is found incomplete, and made anew from them.
    await asyncio.to_thread(_copy_files, settings.data_dir, folder)
    target = await Database.open(None, data_dir=folder)
    try:
        copied = KnowledgeRows(target, workspace_id)
        await copied.build(live.generation_id, articles, passages, questions, [], embedder=live.embedder)
        await copied.swap(live.generation_id)
    finally:
        await target.close()


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _copy_files(data_dir: Path, folder: Path) -> None:
    for name in _COPIED:
        if (data_dir / name).is_dir():
            shutil.copytree(data_dir / name, folder / name)
    for name in _SHARED:
        # What engines train once and keep by the hash of what it was trained from.
        (data_dir / name).mkdir(exist_ok=True)
        (folder / name).symlink_to((data_dir / name).resolve())
    vectors = data_dir / "vectors"
    if not vectors.is_dir():
        return
    shutil.copytree(vectors, folder / "vectors", ignore=shutil.ignore_patterns(f"{_CHROMA}*"))
    if (vectors / _CHROMA).exists():
        # A server may be writing to it: SQLite's own copy is of one moment.
        with (
            closing(sqlite3.connect(f"file:{vectors / _CHROMA}?mode=ro", uri=True)) as there,
            closing(sqlite3.connect(folder / "vectors" / _CHROMA)) as here,
        ):
            there.backup(here)

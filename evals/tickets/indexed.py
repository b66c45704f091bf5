"""Where an installation keeps the indexes of ticket files: a file is read once, however many commands ask for it."""

import hashlib
from pathlib import Path

from agent.errors import Misconfigured
from evals.progress import OnProgress
from evals.tickets.formats import Format
from evals.tickets.index import TicketIndex
from graphs.settings import Settings


def index_of(settings: Settings, tickets: Path, format_: Format | None, on_progress: OnProgress) -> TicketIndex:
    """Open the index of a file of tickets in the data folder, made anew when the file has changed.

    Raises:
        Misconfigured: the file can't be read, or the data folder can't be written.
        BadTurn: the file holds no tickets.
    """
    name = hashlib.sha256(str(tickets.resolve()).encode(errors="replace")).hexdigest()[:16]
    folder = settings.data_dir / "tickets"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise Misconfigured(f"{folder}: can't be made ({exc.strerror})") from exc
    return TicketIndex.build(tickets, folder / f"{name}.index", format_=format_, on_progress=on_progress)

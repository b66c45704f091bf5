"""Which learnt model an installation uses, which it used before, and the way back."""

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from agent.errors import BadTurn, Misconfigured
from tools.learned.model import DamagedModel, LearnedModel, read, write

logger = logging.getLogger(__name__)

SHIPPED = "shipped"
"""The name of what comes with the installation: no learnt model at all."""

_MODEL_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class InUse:
    """The model in use, by id; `model` is None for the shipped one, and when the one chosen is damaged."""

    model_id: str
    model: LearnedModel | None


class ModelShelf:
    """The learnt models of one workspace, in a folder of their own below the data folder."""

    def __init__(self, data_dir: Path, workspace_id: str) -> None:
        self.folder = data_dir / "learned" / workspace_id

    def in_use(self) -> InUse:
        """Open the model in use. A damaged one is refused loudly, and what comes with the installation is used."""
        model_id = self.history()[-1]
        if model_id == SHIPPED:
            return InUse(SHIPPED, None)
        try:
            return InUse(model_id, read(self.folder / model_id))
        except DamagedModel as exc:
            logger.error(
                "the learnt model is damaged and NOT used, going on with what is shipped model_id=%s problem=%s; "
                "`helpgraph learn --rollback` goes back to the model before",
                model_id,
                exc,
            )
            return InUse(SHIPPED, None)

    def history(self) -> list[str]:
        """The models used so far, oldest first; the last is in use. It begins with the shipped one."""
        try:
            lines = (self.folder / "history").read_text(encoding="utf-8").split()
        except FileNotFoundError:
            return [SHIPPED]
        except (OSError, UnicodeDecodeError):
            logger.exception("the list of learnt models can't be read, going on with what is shipped")
            return [SHIPPED]
        return [SHIPPED, *(line for line in lines if line == SHIPPED or _MODEL_ID.fullmatch(line))]

    def add(self, model: LearnedModel) -> str:
        """Keep a model, without using it, and return its id.

        Raises:
            Misconfigured: the folder can't be written.
        """
        return write(model, self.folder)

    def use(self, model_id: str) -> LearnedModel | None:
        """Use a kept model, or the shipped one, from the next start on.

        Raises:
            BadTurn: there is no such model, or it is damaged.
        """
        model = None
        if model_id != SHIPPED:
            if not _MODEL_ID.fullmatch(model_id) or not (self.folder / model_id).is_dir():
                raise BadTurn(f"no model {model_id!r} in {self.folder}; there are: {', '.join(self.kept()) or 'none'}")
            try:
                model = read(self.folder / model_id)
            except DamagedModel as exc:
                raise BadTurn(f"the model {model_id} is damaged: {exc}") from exc
        self._write([*self.history()[1:], model_id])
        return model

    def rollback(self) -> str:
        """Go back to the model that was used before this one, and return its id.

        Raises:
            BadTurn: there was none before.
        """
        history = self.history()
        if len(history) < 2:
            raise BadTurn("there is nothing to go back to: no learnt model has been used yet")
        self._write(history[1:-1])
        return self.history()[-1]

    def kept(self) -> list[str]:
        """The ids of all models in the folder."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if _MODEL_ID.fullmatch(path.name))

    def _write(self, history: list[str]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            scratch = self.folder / f"history.{os.getpid()}.tmp"
            scratch.write_text("\n".join(history), encoding="utf-8")
            scratch.replace(self.folder / "history")
        except OSError as exc:
            raise Misconfigured(f"the model folder {self.folder} can't be written ({exc.strerror})") from exc

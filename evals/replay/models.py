"""Which learnt model, and which articles, there were when a ticket came in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from evals.tickets.ticket import Ticket
from graphs.assembly import Runtime
from tools.learned.model import DamagedModel, LearnedModel, read
from tools.learned.shelf import SHIPPED, ModelShelf
from tools.storage.knowledge import ArticleRow


@dataclass
class ModelsInTime:
    """The models that the installation used, each from the moment of the newest ticket that it learnt from.

    A model that doesn't say what it learnt from (an older version made it) counts as having been there always.
    """

    since: Sequence[tuple[datetime, str]]
    models: dict[str, LearnedModel | None]
    current: str = SHIPPED

    @classmethod
    def of(cls, runtime: Runtime) -> "ModelsInTime":
        """The models in use so far, up to the one in use now."""
        shelf = ModelShelf(runtime.settings.data_dir, runtime.workspace.workspace_id)
        since: list[tuple[datetime, str]] = [(datetime.min.replace(tzinfo=UTC), SHIPPED)]
        models: dict[str, LearnedModel | None] = {SHIPPED: None}
        embedder = runtime.embedder.name if runtime.embedder else ""
        for model_id in dict.fromkeys(shelf.history()):
            if model_id == SHIPPED:
                continue
            try:
                model = read(shelf.folder / model_id)
            except DamagedModel:
                continue
            if model.embedder != embedder:
                continue
            models[model_id] = model
            since.append((learnt_until(model), model_id))
        return cls(sorted(since, key=lambda entry: entry[0]), models, current=shelf.in_use().model_id)

    def at(self, moment: datetime) -> str:
        """The id of the newest model that had learnt from nothing younger than `moment`."""
        return [model_id for begun, model_id in self.since if begun < moment][-1]

    async def switch(self, runtime: Runtime, model_id: str) -> None:
        """Have the installation go by this model.

        Raises:
            ConnectorError: the embedder or the index failed.
        """
        model = self.models[model_id]
        runtime.learn(model)
        await runtime.knowledge.teach(model.questions if model is not None else None)
        self.current = model_id


def learnt_until(model: LearnedModel) -> datetime:
    """When the newest ticket that the model learnt from came in; the beginning of time when it doesn't say."""
    stated = model.report.get("learnt_until")
    if not isinstance(stated, str):
        return datetime.min.replace(tzinfo=UTC)
    return datetime.fromisoformat(stated)


def younger_than(articles: Sequence[ArticleRow], ticket: Ticket) -> frozenset[str]:
    """Ids of the articles that were not there yet: published later, or written from this very ticket."""
    day = ticket.created_at.date().isoformat()
    return frozenset(
        article.article_id
        for article in articles
        if (article.published_on is not None and article.published_on > day) or ticket.ticket_id in article.from_tickets
    )

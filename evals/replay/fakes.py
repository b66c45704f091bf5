"""What a replayed turn may write to: fakes that record, so that nothing of a replay reaches anyone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.ports import BugReport, KnowledgeBase, SearchQuery
from agent.types import BugTicket, Passage
from tools.storage.tracker import gist_of


@dataclass
class RecordingTracker:
    """Implements `agent.ports.TicketTracker` for one ticket: what is reported twice in it is one bug.

    Whether two tickets report the same bug is decided when the cases are written, in their order: tickets are
    replayed at the same time, and what one sees must not depend on how far another has come.
    """

    reports: list[BugReport] = field(default_factory=list)

    async def find_same(self, report: BugReport) -> BugTicket | None:
        """The bug that this ticket has reported before, if any."""
        return self._ticket(report, is_new=False) if self.reports else None

    async def already_filed(self, workspace_id: str, effect_key: str) -> bool:
        """Whether this ticket has reported a bug under this key."""
        return effect_key in {known.effect_key for known in self.reports}

    async def file(self, report: BugReport) -> BugTicket:
        """Record the report."""
        is_new = not self.reports
        if report.effect_key not in {known.effect_key for known in self.reports}:
            self.reports.append(report)
        return self._ticket(report, is_new=is_new)

    @property
    def gist(self) -> str | None:
        """What this ticket's bug is compared by; None when none was reported."""
        return gist_of(self.reports[0].draft) if self.reports else None

    def _ticket(self, report: BugReport, *, is_new: bool) -> BugTicket:
        return BugTicket("BUG", report.draft.title, 1, is_new=is_new, status="open")


@dataclass(frozen=True, slots=True)
class KnowledgeAsOf:
    """Implements `agent.ports.KnowledgeBase` as it stood when a ticket came in: without the articles `missing`."""

    knowledge: KnowledgeBase
    missing: frozenset[str]

    async def search(self, query: SearchQuery) -> list[Passage]:
        """As the knowledge base would have searched, as far as its articles go; ranks are counted anew."""
        found = await self.knowledge.search(query)
        return [passage for passage in found if passage.article_id not in self.missing]

    def mended(self, question: str) -> str:
        """By the words of all articles."""
        return self.knowledge.mended(question)

    async def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        """Those of the named passages that were there."""
        found = await self.knowledge.passages(passage_ids)
        return [passage for passage in found if passage.article_id not in self.missing]

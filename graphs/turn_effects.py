"""Effects of a turn: before something happens outside, the turn is closed to further messages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agent.ports import BugReport, TicketTracker
from agent.types import BugTicket


@dataclass(frozen=True, slots=True)
class ClosingTracker:
    """A tracker for one turn: `close` comes before the first filing, and raises when the turn has to start anew."""

    tracker: TicketTracker
    close: Callable[[], Awaitable[None]]

    async def find_same(self, report: BugReport) -> BugTicket | None:
        """As the tracker does."""
        return await self.tracker.find_same(report)

    async def already_filed(self, workspace_id: str, effect_key: str) -> bool:
        """As the tracker does."""
        return await self.tracker.already_filed(workspace_id, effect_key)

    async def file(self, report: BugReport) -> BugTicket:
        """As the tracker does, once the turn is closed to further messages.

        Raises:
            TrackerError, DatabaseAway: as the tracker does.
        """
        await self.close()
        return await self.tracker.file(report)

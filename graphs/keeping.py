"""Where a turn stands in its graph, kept so that another process can go on from there."""

from langgraph.checkpoint.base import BaseCheckpointSaver

from graphs.checkpoint_serializer import SHAPE
from graphs.checkpoints import copy_state, thread_of
from graphs.turn_graph import TurnGraph, build_turn_graph
from tools.storage.log import TurnWork


class Keeping:
    """The graph that turns run on, and its state of those that aren't over.

    A turn of a repeatable engine keeps none: it begins anew, and to keep it would cost more than that.
    """

    def __init__(self, graph: TurnGraph, *, repeatable: bool) -> None:
        self.graph = build_turn_graph() if repeatable else graph
        saver = graph.checkpointer
        self._saver = saver if isinstance(saver, BaseCheckpointSaver) and not repeatable else None

    def thread(self, work: TurnWork) -> str | None:
        """Under which name this attempt at a turn keeps its state, if it does."""
        return self._name(work, work.attempts) if self._saver is not None else None

    async def stands(self, work: TurnWork, *, filed: bool) -> bool:
        """Whether this attempt has something to go on from, which it takes over from the last one that had any.

        It is a copy: whoever made that attempt may only have stood still, and write on. `filed` says that the turn has
        filed a bug. Whoever went on from before that, with a model that decides anew, might never come to it again,
        and the customer would never hear of it.
        """
        if self._saver is None or not await self._take_over(self._saver, work):
            return False
        snapshot = await self.graph.aget_state({"configurable": {"thread_id": self._name(work, work.attempts)}})
        ours = (snapshot.metadata or {}).get("shape") == SHAPE
        tells = not filed or snapshot.values.get("ticket") is not None or snapshot.next == ("bug_report",)
        if snapshot.next and ours and tells:
            return True
        # A graph that had come to its end would take what is left of it for the new attempt's own, and the state of
        # another version, after an upgrade or back from one, has values that this one can't make.
        await self._saver.adelete_thread(self._name(work, work.attempts))
        return False

    async def forget(self, work: TurnWork) -> None:
        """The log has it all; a checkpoint is only for a turn that isn't over."""
        if self._saver is not None:
            for attempt in range(1, work.attempts + 1):
                await self._saver.adelete_thread(self._name(work, attempt))

    async def _take_over(self, saver: BaseCheckpointSaver[str], work: TurnWork) -> bool:
        own = self._name(work, work.attempts)
        for attempt in range(work.attempts - 1, 0, -1):
            if await copy_state(saver, self._name(work, attempt), own):
                return True
        return False

    def _name(self, work: TurnWork, attempt: int) -> str:
        return thread_of(work.turn_id, len(work.messages), attempt)

"""Where a turn stands in its graph, kept so that another process can go on from there."""

from langgraph.checkpoint.base import BaseCheckpointSaver

from graphs.checkpoint_serializer import SHAPE
from graphs.checkpoints import is_whole, thread_of
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
        """Under which name this turn's state is kept, if it is."""
        return thread_of(work.turn_id, len(work.messages)) if self._saver is not None else None

    async def stands(self, thread_id: str | None, *, filed: bool) -> bool:
        """Whether there is something to go on from; what is there and of no use for that is forgotten.

        `filed` says that the turn has filed a bug. Whoever went on from before that, with a model that decides anew,
        might never come to it again, and the customer would never hear of it.
        """
        if thread_id is None or self._saver is None:
            return False
        snapshot = await self.graph.aget_state({"configurable": {"thread_id": thread_id}})
        ours = (snapshot.metadata or {}).get("shape") == SHAPE
        tells = not filed or snapshot.values.get("ticket") is not None or snapshot.next == ("bug_report",)
        if snapshot.next and ours and tells and await is_whole(self._saver, thread_id):
            return True
        # A graph that had come to its end would take what is left of it for the new attempt's own, and the state of
        # another version, after an upgrade or back from one, has values that this one can't make.
        await self.forget(thread_id)
        return False

    async def forget(self, thread_id: str | None) -> None:
        """The log has it all; a checkpoint is only for a turn that isn't over."""
        if thread_id is not None and self._saver is not None:
            await self._saver.adelete_thread(thread_id)

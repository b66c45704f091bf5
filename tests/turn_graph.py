"""The turn graph, built once: that takes longer than a turn."""

from copy import copy
from functools import cache

from langgraph.checkpoint.base import BaseCheckpointSaver

from graphs.turn_graph import TurnGraph, build_turn_graph


@cache
def turn_graph() -> TurnGraph:
    """The graph without a checkpointer; turns leave nothing in it."""
    return build_turn_graph()


def turn_graph_that_keeps(checkpointer: BaseCheckpointSaver[str]) -> TurnGraph:
    """The graph as it is built with a checkpointer, of which running it asks; nothing else depends on it."""
    kept = copy(turn_graph())
    kept.checkpointer = checkpointer
    return kept

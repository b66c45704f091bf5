"""The turn graph as it keeps nothing, built once: that takes longer than a turn."""

from functools import cache

from graphs.turn_graph import TurnGraph, build_turn_graph


@cache
def turn_graph() -> TurnGraph:
    """The graph without a checkpointer; turns leave nothing in it."""
    return build_turn_graph()

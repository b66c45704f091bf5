"""Replay: what the agent would have done with historical tickets, and the log of it."""

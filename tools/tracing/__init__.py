"""Traces of turns: where they go, and what is taken out before they leave."""

"""Replay: what is played, recorded, and gone on with."""

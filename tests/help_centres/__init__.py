"""Invented help centres, with conversations written before the engine saw them: `python -m tests.help_centres`."""

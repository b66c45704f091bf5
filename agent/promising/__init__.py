"""The grammars behind `agent/promises.py`: how each language says that somebody did, does or will do something."""

"""The wiring: the turn graph, the assembly of connectors, and the running of turns."""

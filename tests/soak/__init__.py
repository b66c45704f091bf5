"""A steady load on a real server for minutes: what it needs must stay the same."""

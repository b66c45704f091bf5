"""Logic with a third value: None is what nobody knows. It is never turned into a yes or a no."""

Known = bool | None


def every(*parts: Known) -> Known:
    """False when one part is, whatever else is unknown; else None when one is unknown."""
    if any(part is False for part in parts):
        return False
    return None if any(part is None for part in parts) else True


def some(*parts: Known) -> Known:
    """True when one part is, whatever else is unknown; else None when one is unknown."""
    if any(part is True for part in parts):
        return True
    return None if any(part is None for part in parts) else False


def opposite(part: Known) -> Known:
    """The opposite; of what is unknown, unknown."""
    return None if part is None else not part

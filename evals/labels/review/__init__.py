"""The screen on which people label tickets by hand."""

"""Two runs over the same tickets, side by side."""

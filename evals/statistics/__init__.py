"""Numbers with the intervals that their sample sizes earn, and what two of them together can tell."""

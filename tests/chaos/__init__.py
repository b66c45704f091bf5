"""Real processes, killed and frozen at random moments, and an independent look at what is left (docs/chaos.md)."""

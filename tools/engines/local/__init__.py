"""The local engine: no language model, no network, the same answer every time."""

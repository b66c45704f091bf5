"""Small transformers that read two texts at once: the local embedding model's encoder, taught for one thing each."""

"""Embedding models behind `agent.ports.Embedder`."""

"""Engines: what stands behind the port for everything that needs language."""

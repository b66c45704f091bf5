"""Connectors and engines: what stands behind the ports that the domain names."""

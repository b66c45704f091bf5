"""Whole rounds of the durable turn machinery in one process: a fake clock, and chance drawn from a seed."""

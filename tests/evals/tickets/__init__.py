"""Tests of historical tickets: formats, reading, the index, scrubbing, the profile."""

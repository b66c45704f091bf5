"""Offline evaluation: historical tickets in, measured behaviour out."""

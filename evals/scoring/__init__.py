"""Scores per replayed ticket, and the metrics over them."""

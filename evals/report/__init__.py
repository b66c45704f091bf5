"""The report of a run: one HTML file that a head of support reads, and the same as JSON and Markdown."""

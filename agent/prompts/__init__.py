"""The prompts, one Markdown file each, and how they are read."""

"""The knowledge base: reading articles, splitting them, storing them whole or not at all, and finding passages."""

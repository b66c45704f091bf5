"""A replay as a LangSmith experiment."""

"""The widget and the inbox in a real browser."""

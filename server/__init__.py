"""The HTTP doors: AG-UI and OpenAI streams, the widget, the inbox and the pages beside them."""

"""What this package adds to the command line."""

from graphs.lazy_commands import LazyCommand

COMMANDS = (
    LazyCommand(
        "serve",
        "Serve the widget, the inbox and the API.",
        "server.cli:register",
    ),
)

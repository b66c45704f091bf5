"""What this package adds to the command line."""

from graphs.lazy_commands import LazyCommand

COMMANDS = (
    LazyCommand(
        "serve",
        "Serve the widget, the inbox and the API.",
        "server.cli:register",
    ),
    LazyCommand(
        "doctor",
        "Check settings, stores, model and versions. Exit code 1 when something is wrong.",
        "server.cli_doctor:register",
    ),
)

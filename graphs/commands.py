"""What this package adds to the command line."""

from graphs.lazy_commands import LazyCommand

COMMANDS = (
    LazyCommand(
        "ask",
        "Ask one question; prints the answer, its citations, the signals and the path through the graph.",
        "graphs.cli_ask:register",
    ),
    LazyCommand(
        "erase",
        "Remove everything that is held about a user, a visitor, a conversation, or about whatever is old. For good.",
        "graphs.cli_privacy:register",
    ),
    LazyCommand(
        "export",
        "Write everything that is held about a user, a visitor or a conversation to one JSON file.",
        "graphs.cli_privacy:register",
    ),
    LazyCommand(
        "ingest",
        "Bring the knowledge base to exactly what PATH holds.",
        "graphs.cli_ingest:register",
    ),
    LazyCommand(
        "keys",
        "Add, list and revoke the keys by which bots are let in.",
        "graphs.cli_keys:register",
    ),
    LazyCommand(
        "people",
        "Add, list and remove people on the team, with a role each.",
        "graphs.cli_people:register",
    ),
    LazyCommand(
        "webhooks",
        "Tell the team's own systems what happens: add, try and watch.",
        "graphs.cli_webhooks:register",
    ),
)

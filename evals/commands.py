"""What this package adds to the command line."""

from graphs.lazy_commands import LazyCommand

COMMANDS = (
    LazyCommand(
        "bench",
        "Measure the engine that ships on a public benchmark, through the turn that serves customers.",
        "evals.cli_bench:register",
    ),
    LazyCommand(
        "compare",
        "Compare two scored runs over the same tickets, case by case.",
        "evals.cli_compare:register",
    ),
    LazyCommand(
        "learn",
        "Learn kinds, categories, known questions and trust from historical tickets.",
        "evals.cli_learn:register",
    ),
    LazyCommand(
        "replay",
        "Run historical tickets through the turn that serves customers, and record what would have happened.",
        "evals.cli_replay:register",
    ),
    LazyCommand(
        "score",
        "Score finished runs again, by the labels, rules and costs of now, and write their reports anew.",
        "evals.cli_score:register",
    ),
    LazyCommand(
        "tickets",
        "Historical tickets: what is in them, one form for all, and what should have happened.",
        "evals.cli_tickets:register",
    ),
)

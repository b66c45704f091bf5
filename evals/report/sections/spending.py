"""Costs, bugs and time: the rest of the numbers."""

from markupsafe import Markup

from evals.report.content import Content
from evals.report.figures import number
from evals.report.markup import CELL_HEADS, cells, fill, join, row, section, table
from evals.report.words import MISTAKE_WORDS
from evals.scoring.measures import BY_NAME

_COSTS = ("expected_cost", "tokens", "money")
_RESPONSE = ("responded", "response_turns", "response_seconds", "question_rate", "repeated_question")
_BUGS = ("bug_recall", "bug_precision", "duplicate_found", "merged_wrongly")


def spending(content: Content) -> Markup:
    """The section."""
    costs = content.policy.costs
    prices = [
        fill("<li>{words}: <b>{price}</b></li>", words=MISTAKE_WORDS[name], price=f"{getattr(costs, name):g}")
        for name in ("wrong_answer", "missed_handoff", "needless_ticket", "needless_handoff", "needless_question")
    ]
    at_best = content.summary.cost_at_best
    best = "" if at_best is None else f" If each question at a ticket's end went well: {number(at_best)} a ticket."
    lead = f"Mistakes are priced as your policy prices them; a category may have prices of its own.{best}"
    return section(
        "costs",
        "Costs, first help, bugs",
        lead,
        fill('<ul class="prices">{prices}</ul>', prices=join(prices)),
        _table(content, "What it costs", _COSTS),
        _table(content, "The first reply that helps, and questions back", _RESPONSE),
        _table(content, "Bugs", _BUGS),
    )


def _table(content: Content, caption: str, names: tuple[str, ...]) -> Markup:
    of = content.summary.metrics
    rows = [row(BY_NAME[name].title, *cells(of[name])) for name in names if of[name].n or of[name].unscored]
    return table(caption, ("", *CELL_HEADS), rows) if rows else Markup("")

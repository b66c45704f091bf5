"""The twenty dearest mistakes."""

from collections.abc import Mapping

from markupsafe import Markup

from evals.report.content import Content
from evals.report.figures import number
from evals.report.markup import case_button, row, section, table
from evals.report.words import MISTAKE_WORDS, category_names


def mistakes(content: Content, says: Mapping[tuple[str, int], str]) -> Markup:
    """The section; `says` has the beginning of the first message of each."""
    names = category_names(content.policy)
    rows = [
        row(
            case_button(one.ticket_id, one.run),
            number(one.cost),
            "; ".join(MISTAKE_WORDS.get(part, part) for part in one.parts),
            names.get(one.category or "", one.category or "–"),
            says.get((one.ticket_id, one.run), ""),
        )
        for one in content.summary.mistakes
    ]
    if not rows:
        return section("mistakes", "The worst mistakes", "There is none: no scored ticket cost anything.")
    lead = "The dearest by your prices, worst first. Numbers tell how many, these tell what. Read them first."
    heads = ("ticket", "cost", "what went wrong", "category", "the customer wrote")
    return section("mistakes", "The worst mistakes", lead, table("The worst mistakes", heads, rows, kind="mistakes"))

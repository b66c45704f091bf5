"""Containment in its tiers, side by side and never blended."""

from markupsafe import Markup

from evals.report.content import Content
from evals.report.markup import CELL_HEADS, cells, fill, join, row, section, table, with_warning
from evals.scoring.measures import BY_NAME

_TIERS = ("went_quiet", "confirmed", "containment", "durable_containment")
_OPPOSITES = ("wrong_containment", "false_promise", "open_question", "silent_end")


def containment(content: Content) -> Markup:
    """The section."""
    lead = (
        "“Contained” has several meanings, and they are far apart. In this report the plain word means the third: an "
        "answer that is right, "
        "rests on its sources, and left nothing open, where no person was needed."
    )
    of = content.summary.metrics
    heads = ("share of tickets with a request", *CELL_HEADS)
    tiers = [row(with_warning(BY_NAME[name].title, name), *cells(of[name])) for name in _TIERS]
    opposites = [row(with_warning(BY_NAME[name].title, name), *cells(of[name])) for name in _OPPOSITES]
    return section(
        "containment",
        "How much would have been contained",
        lead,
        table("Tiers of containment", heads, tiers, kind="tiers"),
        table("And their opposites", heads, opposites),
        _repeated(content),
    )


def _repeated(content: Content) -> Markup:
    repeated = content.summary.repeated
    if not repeated:
        return Markup("")
    rows = [row(f"all of {each.k} tries contained", *cells(each.metric)) for each in repeated]
    text = "Each ticket was replayed several times. A ticket that is contained once and not the next time is luck."
    body = table("Repeats of the run", ("", *CELL_HEADS), rows)
    return join([fill("<p>{text}</p>", text=text), body])

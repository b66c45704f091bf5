"""Who should have gone to a person, and did or didn't."""

from markupsafe import Markup

from evals.report.content import Content
from evals.report.markup import CELL_HEADS, cells, fill, filter_button, join, row, section, table
from evals.report.words import reason_words
from evals.scoring.measures import BY_NAME
from evals.scoring.summary import TwoByTwo

_RATES = (
    "escalation_recall", "escalation_precision", "escalation_accuracy", "needless_handoff", "handed_over",
    "handed_over_at_once", "answered_before_handoff", "right_queue", "first_contact_resolution", "turns_late",
)  # fmt: skip
NO_REASON = "-"


def escalation(content: Content) -> Markup:
    """The section."""
    lead = (
        "A ticket that needs a person and gets none is the worst that can happen; a person called for nothing is the "
        "cheapest mistake. "
        "Read the two shares together: who hands over everything misses nobody."
    )
    of = content.summary.metrics
    rows = [row(BY_NAME[name].title, *cells(of[name])) for name in _RATES if of[name].n or of[name].unscored]
    mcc = of["escalation_mcc"]
    rows.append(row("Correlation of needed and handed over (1 perfect, 0 chance)", *cells(mcc)))
    return section(
        "escalation",
        "Who should have gone to a person",
        lead,
        _two_by_two(content.summary.escalation),
        _confusion(content),
        table("Handoffs in numbers", ("", *CELL_HEADS), rows),
    )


def _two_by_two(two: TwoByTwo) -> Markup:
    def cell(cases: int, tone: str, says: str, needed: str, handed: str) -> Markup:
        button = filter_button(f"{cases:,}", f"Show the {cases} tickets: {says}", needed=needed, handed=handed)
        return fill('<td class="cell {tone}">{button}<span>{says}</span></td>', tone=tone, button=button, says=says)

    def line(name: str, *found: Markup) -> Markup:
        return fill('<tr><th scope="row">{name}</th>{found}</tr>', name=name, found=join(found))

    rows = [
        line(
            "Needed a person",
            cell(two.needed_and_handed, "good", "got one", "any", "any"),
            cell(two.needed_and_kept, "bad", "missed", "any", NO_REASON),
        ),
        line(
            "Needed no person",
            cell(two.not_needed_and_handed, "fair", "handed over for nothing", NO_REASON, "any"),
            cell(two.not_needed_and_kept, "good", "rightly kept", NO_REASON, NO_REASON),
        ),
    ]
    body = table("Needed a person, and got one", ("", "Handed to a person", "Kept by the agent"), rows, kind="two")
    note = fill('<p class="faint">{n} more are unscored.</p>', n=f"{two.unscored:,}") if two.unscored else Markup("")
    return join([body, note])


def _confusion(content: Content) -> Markup:
    """Needed for x, handed over for y."""
    reasons = content.summary.reasons
    if not reasons:
        return Markup("")
    cases = {(one.needed, one.handed): one.cases for one in reasons}
    needed = _ordered(cases, 0)
    handed = _ordered(cases, 1)
    most = max((count for (x, y), count in cases.items() if x or y), default=1)
    rows = []
    for x in needed:
        found = []
        for y in handed:
            n = cases.get((x, y), 0)
            if not n:
                found.append(Markup('<td class="none">·</td>'))
                continue
            tone = "good" if (x is None) == (y is None) else "fair" if x is None else "bad"
            heat = "h3" if n > most / 3 else "h2" if n > most / 10 else "h1"
            says = f"Show the {n} tickets that needed a person for {reason_words(x)}, handed over for {reason_words(y)}"
            if x is None or y is None:
                says = f"Show the {n} tickets: needed {reason_words(x)}, handed over for {reason_words(y)}"
            button = filter_button(f"{n:,}", says, needed=x or NO_REASON, handed=y or NO_REASON)
            found.append(fill('<td class="cell {tone} {heat}">{button}</td>', tone=tone, heat=heat, button=button))
        name = reason_words(x) if x else "needed no person"
        rows.append(fill('<tr><th scope="row">{name}</th>{found}</tr>', name=name, found=join(found)))
    heads = ("needed for ↓  handed over for →", *(reason_words(y) if y else "kept by the agent" for y in handed))
    return join(
        [
            Markup(
                "<h3>Why a person was needed, and why one was called</h3>"
                '<p class="faint">Red: needed and not handed over. Amber: handed over for nothing. Green: right, '
                "whatever the two reasons are called.</p>"
            ),
            table("Confusion by reason", heads, rows, kind="confusion"),
        ]
    )


def _ordered(cases: dict[tuple[str | None, str | None], int], side: int) -> list[str | None]:
    """The reasons of one side, the most common first; no reason last."""
    totals: dict[str | None, int] = {}
    for pair, count in cases.items():
        totals[pair[side]] = totals.get(pair[side], 0) + count
    return sorted(totals, key=lambda name: (name is None, -totals[name], str(name)))

"""The knowledge base: did an article exist, was it found, was it used; and what to write next."""

from markupsafe import Markup

from evals.report.content import Content
from evals.report.markup import CELL_HEADS, case_button, cells, fill, join, row, section, table, tickets, value
from evals.report.words import GAP_WORDS, category_names
from evals.scoring.measures import BY_NAME
from evals.scoring.worklist import Gap

GAPS_SHOWN = 12
_STEPS = (
    ("article_exists", "An article answers it"),
    ("article_retrieved", "… and it was found"),
    ("article_used", "… and it was used"),
)
_QUALITY = {
    "groundedness": "Claims that their sources support",
    "citation_right": BY_NAME["citation_right"].title,
    "citation_precision": "Of the articles cited, those that answer",
    "dangling_citations": "Claims that cite what was neither found nor shown",
}
_WIDTH = 400


def shown_gaps(gaps: tuple[Gap, ...]) -> dict[str, list[Gap]]:
    """The gaps of each kind that the report shows."""
    return {kind: [gap for gap in gaps if gap.kind == kind][:GAPS_SHOWN] for kind in GAP_WORDS}


def knowledge(content: Content) -> Markup:
    """The section."""
    of = content.summary.metrics
    lead = (
        f"For the {of['article_exists'].n:,} questions that an article could answer and of which it is known which. "
        "Each step holds only where the one before does; what is lost between two steps has its own cure."
    )
    if unlabelled := of["article_exists"].unscored:
        lead += f" Of {unlabelled:,} more nobody said which article answers them: they are unscored."
    quality = [row(words, *cells(of[name])) for name, words in _QUALITY.items() if of[name].n]
    parts = [_chain(content), _gaps(content)]
    if quality:
        parts.append(table("What the citations are worth (n counts claims or citations)", ("", *CELL_HEADS), quality))
    return section("knowledge", "The knowledge base, and what to write next", lead, *parts)


def _chain(content: Content) -> Markup:
    of = content.summary.metrics
    rows = []
    for name, words in _STEPS:
        share = of[name].value or 0.0
        step = fill(
            '<svg class="step" viewBox="0 0 {w} 16" preserveAspectRatio="none" aria-hidden="true">'
            '<rect class="track" width="{w}" height="16"/><rect class="good" width="{share}" height="16"/></svg>',
            w=_WIDTH, share=f"{_WIDTH * share:.1f}",
        )  # fmt: skip
        rows.append(row(words, value(of[name]), step, *cells(of[name])[1:2], *cells(of[name])[3:]))
    lost = [
        fill("<li>{words}: <b>{value}</b></li>", words=words, value=value(of[name]))
        for name, words in (
            ("article_missing", "No article: write it"),
            ("article_not_retrieved", "Not found: make it findable"),
            ("article_not_used", "Found, not used: see why the agent did not trust it"),
        )
    ]
    return join(
        [
            table(
                "From question to answer", ("", "share", "drawn", *CELL_HEADS[1:2], *CELL_HEADS[3:]), rows, kind="chain"
            ),
            fill('<ul class="plain">{lost}</ul>', lost=join(lost)),
        ]
    )


def _gaps(content: Content) -> Markup:
    names = category_names(content.policy)
    lists = []
    for kind, gaps in shown_gaps(content.summary.gaps).items():
        words = GAP_WORDS[kind]
        if not gaps:
            continue
        total = sum(gap.tickets for gap in content.summary.gaps if gap.kind == kind)
        known = names if kind == "missing" else content.titles
        rows = [
            row(
                known.get(gap.about, gap.about),
                f"{gap.tickets:,}",
                Markup(", ").join(case_button(ticket_id) for ticket_id in gap.examples),
            )
            for gap in gaps
        ]
        head = "category" if kind == "missing" else "article"
        lists.append(
            fill(
                '<div><h4>{title} <span class="faint">({total})</span></h4><p class="faint">{meaning}</p>{rows}</div>',
                title=words.title,
                total=tickets(total),
                meaning=words.meaning,
                rows=table(f"{words.title}: by tickets", (head, "tickets", "for example"), rows, kind="gaps"),
            )
        )
    if not lists:
        return Markup("")
    title = "What to do next, by the tickets behind it"
    return fill('<h3>{title}</h3><div class="gap-lists">{lists}</div>', title=title, lists=join(lists))

"""The list of tickets with its filters; the script fills it."""

from markupsafe import Markup

from evals.report.content import Content
from evals.report.markup import fill, join, section
from evals.report.verdicts import SOURCES, VERDICTS
from evals.report.words import ENDING_WORDS, SOURCE_WORDS, VERDICT_WORDS, category_names
from evals.scoring.categories import UNLABELLED


def tickets(content: Content, *, shown: int, languages: list[str]) -> Markup:
    """The section, for a page that carries `shown` cases."""
    survey = content.survey
    lead = "Every ticket: the conversation, what a person wrote then, and why the agent did what it did."
    if shown < survey.cases:
        lead = (
            f"This page carries {shown:,} of {survey.cases:,} cases, so that it stays usable: the dearest mistakes "
            "first, then a sample "
            "drawn by chance from every category and outcome. Shares in this list are not the run's; the tables above "
            "are over all cases, "
            "and cases.jsonl in the run's folder has every one."
        )
    names = category_names(content.policy)
    categories = [(name or UNLABELLED, names.get(name or UNLABELLED, str(name))) for name in survey.categories]
    filters = [
        _select("category", "Category", categories),
        _select("verdict", "What came of it", [(v, VERDICT_WORDS[v].title) for v in VERDICTS if survey.verdicts[v]]),
        _select("language", "Language", [(language, language) for language in languages]),
        _select("label", "Labelled", [(source, SOURCE_WORDS[source]) for source in SOURCES]),
        _select("ending", "Replayed", [(ending, words.split(":")[0]) for ending, words in ENDING_WORDS.items()]),
    ]
    return section(
        "tickets",
        "All tickets",
        lead,
        fill(
            '<form id="filters" class="filters">{filters}<label>Contains <input type="search" name="text" '
            'autocomplete="off"></label>'
            '<button type="reset">Show all</button></form>'
            '<p id="chosen" class="chosen" hidden></p><p id="counted" role="status"></p>'
            '<div class="scroll" tabindex="0" role="region" aria-label="Tickets"><table '
            'class="list"><caption>Tickets</caption><thead><tr>'
            '<th scope="col">ticket</th><th scope="col">day</th><th scope="col">category</th><th scope="col">what came '
            'of it</th>'
            '<th scope="col">cost</th><th scope="col">the customer wrote</th></tr></thead><tbody '
            'id="rows"></tbody></table></div>'
            '<p class="more"><button type="button" id="more" hidden>Show more</button></p>'
            '<p class="without-js">The list needs JavaScript; everything else in this report does not.</p>',
            filters=join(filters),
        ),
    )  # fmt: skip


def _select(name: str, title: str, options: list[tuple[str, str]]) -> Markup:
    choices = join(
        fill('<option value="{value}">{words}</option>', value=value, words=words) for value, words in options
    )
    return fill(
        '<label>{title} <select name="{name}"><option value="">all</option>{options}</select></label>',
        title=title, name=name,
        options=choices,
    )  # fmt: skip

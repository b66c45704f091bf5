"""The bug that the engine writes from what a customer said, and its summary of what they want."""

import pytest

from agent.types import BugDraft, Message, PageContext, Source, Untrusted
from tests.tools.engines.conftest import Hear, said, words
from tools.engines.local.engine import LocalEngine

REPORTS = PageContext(route="/reports", page_name="Reports", area="time", known=True)


class Drafting:
    """Has the engine write a bug."""

    def __init__(self, engine: LocalEngine, hear: Hear) -> None:
        self._engine, self._hear = engine, hear

    async def __call__(self, *texts: str, history: tuple[Message, ...] = (), page: PageContext = REPORTS) -> BugDraft:
        heard = await self._hear(*texts, history=history, page=page)
        return await self._engine.draft_bug(tuple(words(text) for text in texts), history, page, heard)


@pytest.fixture
def draft(engine: LocalEngine, hear: Hear) -> Drafting:
    return Drafting(engine, hear)


async def test_a_full_report_misses_nothing(draft: Drafting) -> None:
    bug = await draft(
        "Hi team! I was trying to export my hours in Firefox 131 on Windows 11. "
        "When I click Export, the file is empty. "
        "I expected one row per entry. Thanks!"
    )

    assert bug.missing == ()
    assert bug.title == "When I click Export, the file is empty"
    assert bug.doing == "I was trying to export my hours in Firefox 131 on Windows 11."
    assert bug.expected == "I expected one row per entry."
    assert "the file is empty" in bug.actual
    assert bug.environment == "Firefox 131, Windows 11"
    assert bug.page == "/reports"
    assert bug.feature == "time"


async def test_what_nobody_said_is_named_as_missing(draft: Drafting) -> None:
    bug = await draft("the export file is empty")

    assert bug.missing == ("doing", "expected", "steps", "environment")
    assert (bug.doing, bug.expected, bug.environment, bug.steps) == ("", "", "", ())


async def test_numbered_steps_are_steps(draft: Drafting) -> None:
    bug = await draft("The page crashes.\n1. Open reports\n2. Choose 60 projects\n3. Press Run")

    assert bug.steps == ("Open reports", "Choose 60 projects", "Press Run")
    assert "steps" not in bug.missing


async def test_details_in_german(draft: Drafting) -> None:
    bug = await draft(
        "Hallo, wenn ich auf Export klicke, ist die Datei leer. Erwartet hätte ich alle Zeilen. Ich nutze Safari."
    )

    assert bug.title == "Wenn ich auf Export klicke, ist die Datei leer"
    assert bug.expected == "Erwartet hätte ich alle Zeilen."
    assert bug.environment == "Safari"


async def test_details_in_spanish(draft: Drafting) -> None:
    bug = await draft("Cuando pulso Exportar el archivo sale vacío. Debería tener todas las filas. Uso Chrome.")

    assert bug.title == "Cuando pulso Exportar el archivo sale vacío"
    assert bug.expected == "Debería tener todas las filas."


async def test_several_messages_make_one_bug(draft: Drafting) -> None:
    bug = await draft("the export is empty", "when I click Export in Chrome on a Mac", "it should have all rows")

    assert bug.title == "The export is empty"
    assert bug.missing == ()


async def test_a_short_message_is_completed_by_what_was_said_before(draft: Drafting) -> None:
    bug = await draft("it still crashes", history=said("the board page crashes when I drag a card", "> Please reload."))

    assert bug.title == "The board page crashes when I drag a card"


@pytest.mark.parametrize(
    ("before", "text", "title"),
    [
        ("it doesn't work", "the csv export", "The csv export: it doesn't work"),
        ("How do I export a report?", "it just hangs", "How do I export a report? it just hangs"),
    ],
)
async def test_a_title_says_what_it_is_about(draft: Drafting, before: str, text: str, title: str) -> None:
    bug = await draft(text, history=said(before, "? What were you about to do?"))

    assert bug.title == title


async def test_errors_of_the_page_are_part_of_it(draft: Drafting) -> None:
    page = PageContext(route="/reports", errors=(Untrusted.of("500 GET /api/reports", Source.PAGE),))

    bug = await draft("something is wrong here", page=page)

    assert "500 GET /api/reports" in bug.actual
    assert "actual" not in bug.missing


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("all our time entries are gone since this morning", "high"),
        ("It's urgent, the whole team is blocked, the board crashes", "high"),
        ("the export is empty", "medium"),
        ("small typo on the reports page, no hurry", "low"),
    ],
)
async def test_severity(draft: Drafting, text: str, severity: str) -> None:
    assert (await draft(text)).severity == severity


async def test_a_long_title_is_cut_at_a_word(draft: Drafting) -> None:
    bug = await draft("the export of the report crashes " + "because something very strange happens " * 8)

    assert len(bug.title) <= 80
    assert bug.title.endswith("…")


async def test_a_report_without_words_still_has_a_title(draft: Drafting) -> None:
    assert (await draft("!!!")).title == "Bug report: Reports"
    assert (await draft("", page=PageContext())).title == "Bug report"


async def summary(engine: LocalEngine, hear: Hear, *texts: str, history: tuple[Message, ...] = ()) -> str:
    heard = await hear(*texts, history=history)
    return await engine.summarise(tuple(words(text) for text in texts), history, heard)


async def test_a_summary_is_the_customers_own_words(engine: LocalEngine, hear: Hear) -> None:
    told = await summary(engine, hear, "Hello! I was charged twice in March. Please refund one of them. Thanks")

    assert told == "I was charged twice in March. Please refund one of them."


async def test_a_summary_says_how_it_began_and_what_is_wanted_now(engine: LocalEngine, hear: Hear) -> None:
    history = said("hi", "> Hello!", "how do I get the invoice of May?", "> Under Billing.")

    told = await summary(engine, hear, "It isn't there, let me talk to someone", history=history)

    assert told == "How do I get the invoice of May? It isn't there, let me talk to someone."


async def test_a_summary_of_very_much_is_short(engine: LocalEngine, hear: Hear) -> None:
    assert len(await summary(engine, hear, "my invoice is wrong and " * 200)) <= 500


async def test_a_summary_of_nothing_is_nothing(engine: LocalEngine, hear: Hear) -> None:
    assert await summary(engine, hear, "") == ""

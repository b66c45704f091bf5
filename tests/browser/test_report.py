"""The report of a run as a head of support uses it: filters, a ticket with its reasons, tickets that try to be more."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from evals.labels.label import Label
from evals.replay.case import Case
from evals.scoring.summary import Summary
from tests.browser.conftest import Answer, OpenPage
from tests.browser.corpus import VECTORS
from tests.browser.test_accessibility import LOOKS, serious
from tests.evals.report.making import make_run, report_of, some_pairs
from tests.evals.scoring.making import answer, case, how_to

pytestmark = pytest.mark.browser

HOSTILE = '</script><script>window.__pwned=1</script><img src=x onerror="window.__pwned=2"> \u2028 <!-- ]]>'


@dataclass(frozen=True, slots=True)
class Opened:
    """An open report: its page, its run's summary, what it asked of anybody, and what it complained about."""

    page: Page
    summary: Summary
    strangers: list[str]
    complaints: list[str] = field(default_factory=list)

    @property
    def listed(self) -> list[str]:
        """The tickets in the list."""
        return self.page.locator("#rows th").all_inner_texts()


OpenReport = Callable[..., Opened]


@pytest.fixture
def report(open_page: OpenPage, tmp_path: Path) -> OpenReport:
    """Write a run's report and open it."""

    def opened(pairs: list[tuple[Case, Label | None]] | None = None, fragment: str = "", **options: object) -> Opened:
        made = make_run(tmp_path, pairs or some_pairs())
        path, *_ = report_of(made, titles={"reset": "Reset a forgotten password"})
        options = {"reduced_motion": "reduce", **options}
        page, site = open_page("/empty", {"/empty": Answer("", "text/html")}, **options)
        shown = Opened(page, made.summary, site.strangers)
        site.answers["/report.html"] = Answer(path.read_bytes(), "text/html; charset=utf-8")
        # Chromium asks for an icon by itself.
        page.on("console", lambda said: None if "404" in said.text else shown.complaints.append(said.text))
        page.on("pageerror", lambda error: shown.complaints.append(str(error)))
        page.goto(page.url.replace("/empty", "/report.html") + fragment)
        return shown

    return opened


def test_its_figures_are_the_summarys(report: OpenReport) -> None:
    shown = report()
    of = shown.summary.metrics

    tiers = shown.page.locator("#containment table.tiers data").evaluate_all("found => found.map(one => one.value)")
    card = shown.page.locator(".card data").evaluate_all("found => found.map(one => one.value)")

    names = ("went_quiet", "confirmed", "containment", "durable_containment")
    assert tiers == [f"{of[name].value:.4f}" for name in names]
    assert card[:2] == [f"{of[name].value:.4f}" for name in ("containment", "wrong_containment")]
    two = shown.page.locator("table.two td button").all_inner_texts()
    escalation = shown.summary.escalation
    assert [int(text) for text in two] == [
        escalation.needed_and_handed,
        escalation.needed_and_kept,
        escalation.not_needed_and_handed,
        escalation.not_needed_and_kept,
    ]
    expect(shown.page.locator("#categories tbody tr")).to_have_count(len(shown.summary.categories))
    assert (shown.strangers, shown.complaints) == ([], [])


def test_the_list_is_filtered_and_a_ticket_shows_its_reasons(report: OpenReport) -> None:
    page = report(some_pairs(says="I want my money back")).page

    page.get_by_role("combobox", name="What came of it").select_option("Needlessly handed over")
    page.locator("#rows").get_by_role("button", name="T-needless").click()

    dialog = page.get_by_role("dialog", name="T-needless")
    expect(dialog).to_contain_text("I want my money back")
    expect(dialog).to_contain_text("I've refunded it.")
    expect(dialog).to_contain_text("I've passed your conversation to the team.")
    dialog.get_by_text("Why: handoff, a risky subject").click()
    reason = dialog.get_by_role("row", name=re.compile("a risky subject.*0.61.*0.37.*handoff"))
    expect(reason).to_be_visible()
    dialog.get_by_text("All scores of this ticket").click()
    expect(dialog.get_by_role("row", name="handed: needless yes")).to_be_visible()


def test_an_answer_shows_what_it_rests_on_and_who_labelled_it(report: OpenReport) -> None:
    shown = report(fragment="#case=T-wrong")
    dialog = shown.page.get_by_role("dialog", name="T-wrong")

    dialog.get_by_text("Passages found (1), sentences and their support (1)").click()

    expect(dialog.get_by_role("row", name=re.compile("Choose Forgot password.*other.*0.90"))).to_be_visible()
    expect(dialog.get_by_role("row", name="articles Reset a forgotten password")).to_be_visible()
    expect(dialog.get_by_role("row", name="needs person no came with the tickets")).to_be_visible()
    shown.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert shown.complaints == []


def test_filters_go_together(report: OpenReport) -> None:
    shown = report()
    page = shown.page
    assert len(shown.listed) == len(some_pairs())

    page.get_by_role("combobox", name="Language").select_option("de")
    assert shown.listed == ["T-wrong"]
    page.get_by_role("combobox", name="What came of it").select_option("Settled correctly")
    assert shown.listed == []
    expect(page.get_by_role("status")).to_have_text(f"0 of {len(some_pairs())} tickets")

    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#rows tr")).to_have_count(len(some_pairs()))
    page.get_by_role("combobox", name="Category").select_option("Broken")
    assert shown.listed == ["T-bug"]
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("combobox", name="Labelled").select_option("came with the tickets")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.get_by_role("button", name="Show all").click()
    page.get_by_label("Contains").fill("t-LEAK")
    expect(page.locator("#rows tr")).to_have_count(1)


def test_a_number_of_the_table_of_reasons_shows_its_tickets(report: OpenReport) -> None:
    shown = report()

    shown.page.locator("table.confusion td.bad button").click()

    assert shown.listed == ["T-missed", "T-waits"]
    expect(shown.page.locator("#chosen")).to_contain_text("needed a person for a dispute about money")
    shown.page.locator("table.two td.fair button").click()
    assert shown.listed == ["T-needless"]


def test_each_cell_of_both_tables_shows_as_many_tickets_as_it_says(report: OpenReport) -> None:
    shown = report()

    for button in shown.page.locator("table.two td button, table.confusion td button").all():
        button.click()
        assert len(shown.listed) == int(button.inner_text())


def test_the_slider_tells_what_a_threshold_would_do(report: OpenReport) -> None:
    pairs: list[tuple[Case, Label | None]] = [
        (case(answer("reset" if n > 11 else "other", evidence=n // 3 / 10), ticket_id=f"T-{n}"), how_to(f"T-{n}"))
        for n in range(30)
    ]
    page = report(pairs).page
    says = page.locator("#threshold-says")

    page.get_by_role("slider").fill("0")
    expect(says).to_contain_text("30 of 30 tickets would be answered at once (100.0\u00a0%), 18 rightly and 12 wrongly")
    page.get_by_role("slider").fill("5")
    expect(says).to_contain_text("15 of 30 tickets would be answered at once (50.0\u00a0%), 15 rightly and 0 wrongly")
    expect(says).to_contain_text("Against what it did: −15 answered, −12 wrongly")
    # Nine tickets and fewer tell nothing.
    expect(page.get_by_role("slider")).to_have_attribute("max", "6")


def test_a_ticket_that_is_a_page_stays_a_text(report: OpenReport) -> None:
    texts = [HOSTILE, *(vector.text for vector in VECTORS)]
    chunks = [texts[start : start + 12] for start in range(0, len(texts), 12)]
    pairs: list[tuple[Case, Label | None]] = []
    for n, chunk in enumerate(chunks):
        said, name = "\n".join(chunk), f"T-{n}<b>{chunk[0][:40]}"
        turn = answer(texts=tuple(chunk), reply=said, human_reply=said)
        label = how_to(name, category=chunk[0][:60], needs_person_reason=said)
        pairs.append((case(turn, ticket_id=name, language=chunk[0][:9], page=said), label))
    shown = report(pairs)
    page = shown.page

    assert len(shown.listed) == len(chunks)
    page.locator("#rows button").first.click()
    for _ in chunks[1:]:
        page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Previous").click()
    page.evaluate("location.hash = 'case=' + encodeURIComponent(data.rows[0].id)")
    page.reload()

    expect(page.get_by_role("dialog")).to_contain_text(HOSTILE.split("\u2028")[0].strip())
    assert page.evaluate("window.__pwned ?? null") is None
    assert page.locator("main img, main script, dialog img, dialog script, dialog a, main iframe").count() == 0
    assert (shown.strangers, shown.complaints) == ([], [])


def test_without_scripts_the_numbers_are_still_there(report: OpenReport) -> None:
    shown = report(java_script_enabled=False)

    assert f"{100 * (shown.summary.metrics['containment'].value or 0):.1f}" in shown.page.locator(".cards").inner_text()
    expect(shown.page.get_by_text("The list needs JavaScript")).to_be_visible()
    expect(shown.page.locator("#slider")).to_be_hidden()


@pytest.mark.parametrize(("scheme", "viewport"), LOOKS)
def test_nothing_bars_anybody(report: OpenReport, scheme: str, viewport: dict[str, int] | None) -> None:
    sized = {"viewport": viewport} if viewport else {}
    page = report(color_scheme=scheme, **sized).page
    for summary in page.locator("main summary").all():
        summary.click()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.get_by_role("button", name="T-handed").first.click()
    for summary in page.locator("dialog summary").all():
        summary.click()

    assert serious(page) == []

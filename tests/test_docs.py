"""What the documentation lists is what the code has."""

import re
from pathlib import Path

import pytest

from agent.events import STAFF_ONLY, Custom
from agent.handoff import TABLE
from agent.state import WRITERS, TurnState
from agent.types import Mode, Outcome
from graphs.model_settings import ModelSettings
from graphs.own_settings import AT_THE_DOORS, BEHIND_THE_DOORS
from graphs.settings import Settings
from server.metrics import BY_WORKSPACE, METRICS
from server.settings import ServerSettings

DOCS = Path(__file__).parents[1] / "docs"


def rows(page: str) -> dict[str, list[str]]:
    """The rows of a page's tables by their first cell, without back-ticks."""
    found: dict[str, list[str]] = {}
    for line in (DOCS / page).read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            found[cells[0].strip("` ")] = cells[1:]
    return found


def test_the_state_table_is_complete_and_names_the_right_writer() -> None:
    listed = rows("state.md")

    assert WRITERS.keys() == TurnState.__annotations__.keys()
    assert {key: listed[key][0] for key in WRITERS} == WRITERS


def test_every_mode_is_described() -> None:
    listed = rows("state.md")

    assert {mode.value for mode in Mode} <= listed.keys()
    assert {mode for mode, _ in TABLE} == set(Mode)


def test_the_event_list_is_complete_and_says_who_may_see_what() -> None:
    listed = rows("events.md")

    assert listed.keys() == {name.value for name in Custom}
    assert {name for name, cells in listed.items() if cells[0] == "staff"} == {name.value for name in STAFF_ONLY}


def test_every_outcome_is_in_the_event_list() -> None:
    text = (DOCS / "events.md").read_text(encoding="utf-8")

    assert all(f"`{outcome.value}`" in text for outcome in Outcome)


@pytest.mark.parametrize("settings", [Settings, ServerSettings])
def test_every_setting_is_documented_with_its_default(settings: type[Settings] | type[ServerSettings]) -> None:
    listed = rows("settings.md")

    for name, field in settings.model_fields.items():
        variable = f"HELPGRAPH_{name.upper()}"
        assert variable in listed, variable
        assert field.description, variable


def test_the_settings_that_a_workspace_may_have_are_listed() -> None:
    text = (DOCS / "workspace.md").read_text(encoding="utf-8")
    section = text.partition("## settings.env")[2].partition("\n## ")[0]
    listed = {name.lower() for name in re.findall(r"`([A-Z_]+)`", section)} - {"model_url", "model_key"}

    assert listed == (AT_THE_DOORS | BEHIND_THE_DOORS) - ModelSettings.model_fields.keys()


def test_the_metrics_of_each_workspace_are_listed() -> None:
    text = (DOCS / "metrics.md").read_text(encoding="utf-8")
    read_from_the_log = text.partition("## Read from the log")[2].partition("\n## ")[0]
    section = text.partition("## Several workspaces\n")[2].partition("What is said before")[0]

    assert set(re.findall(r"`(helpgraph_\w+)`", section + read_from_the_log)) == BY_WORKSPACE


def test_no_setting_is_documented_that_does_not_exist() -> None:
    known = {f"HELPGRAPH_{name.upper()}" for name in (*Settings.model_fields, *ServerSettings.model_fields)}

    assert rows("settings.md").keys() <= known


def test_every_metric_is_documented() -> None:
    assert rows("metrics.md").keys() == set(METRICS)


def test_links_between_pages_lead_somewhere() -> None:
    root = DOCS.parent
    for page in [root / "README.md", root / "CONTRIBUTING.md", root / "deploy" / "README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)\s]+)", page.read_text(encoding="utf-8")):
            if "://" in target or target.startswith("mailto:"):
                continue
            path, _, heading = target.partition("#")
            there = page.parent / path if path else page
            assert there.exists(), (page.name, target)
            assert not heading or heading in headings(there), (page.name, target)


def headings(page: Path) -> set[str]:
    """The names by which links lead to a page's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}

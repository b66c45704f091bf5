"""Reading workspace.yaml."""

from pathlib import Path

import pytest

from agent.errors import Misconfigured
from agent.policy import BusinessHours, Costs
from tools.workspace import load_workspace


def write(folder: Path, text: str) -> Path:
    (folder / "workspace.yaml").write_text(f"name: Lathe\nworkspace_id: lathe\n{text}", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", BusinessHours()),
        ("business_hours: {timezone: Europe/Berlin}", BusinessHours("Europe/Berlin")),
        ("business_hours: {days: {}}", BusinessHours(days={})),
    ],
)
def test_hours_that_are_left_out_are_the_usual_ones(tmp_path: Path, text: str, expected: BusinessHours) -> None:
    assert load_workspace(write(tmp_path, text)).policy.business_hours == expected


def test_a_category_states_some_costs_and_the_rest_is_the_workspaces(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        """
categories:
  - {id: billing, name: Billing, costs: {wrong_answer: 20}}
  - {id: other, name: Other}
costs: {missed_handoff: 30}
""",
    )

    policy = load_workspace(folder).policy

    assert policy.costs == Costs(missed_handoff=30)
    assert policy.category("billing").costs == Costs(wrong_answer=20, missed_handoff=30)
    assert policy.category("other").costs is None


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ("{wrong_answer: 0}", "categories.1.costs.wrong_answer: Input should be greater than 0"),
        ("{wrong_answer: .inf}", "categories.1.costs.wrong_answer: Input should be a finite number"),
        ("{wrong_anser: 20}", "categories.1.costs.wrong_anser: Extra inputs are not permitted"),
        ("{wrong_answer: dear}", "categories.1.costs.wrong_answer: Input should be a valid number"),
        ("20", "categories.1.costs: Input should be"),
    ],
)
def test_wrong_costs_of_a_category_are_refused_with_their_place(tmp_path: Path, costs: str, expected: str) -> None:
    billing = f"{{id: billing, name: Billing, costs: {costs}}}"
    folder = write(tmp_path, f"categories:\n  - {{id: other, name: Other}}\n  - {billing}\n")

    with pytest.raises(Misconfigured) as refused:
        load_workspace(folder)

    assert f"{folder / 'workspace.yaml'}: {expected}" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("categories: [{id: a, name: A, target_containment: [50, 90]}]", "categories.0.target_containment.0: "),
        ("categories: [{id: a, name: A, target_containment: [0.9, 0.1]}]", "categories.0.target_containment: "),
        ("support_email: write to us", "support_email: Value error, an e-mail address is meant, such as help@"),
        ("languages: []", "languages: List should have at least 1 item"),
        ("categories: [{id: a, name: A}, {id: a, name: B}]", "categories.1.id: 'a' is there already"),
        ("queues: [{queue_id: q, name: Q}, {queue_id: q, name: R}]", "queues.1.queue_id: 'q' is there already"),
        ("categories: [{id: a, name: A}]\nqueues: [{queue_id: q, name: Q, categories: [b]}]", "queues.0.categories: "),
        ("categories: [{id: a, name: A, queue: r}]", "category 'a' names the queue 'r'"),
    ],
)
def test_what_does_not_fit_together_is_refused_with_its_place(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        load_workspace(write(tmp_path, text))

    assert f"workspace.yaml: {expected}" in str(refused.value)

"""The profile of a history whose truth is known."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evals.tickets.index import TicketIndex
from evals.tickets.profile import MAX_HEARD, Profile, complexity_of, profile
from evals.tickets.reading import Reading
from graphs.assembly import Runtime, open_runtime
from graphs.settings import load_settings
from tests.evals.tickets.vendors import own, written
from tests.installed import copy_of
from tests.shell import Shell


class Words:
    """Embeds a text as its words, each in a place of its own."""

    name = "words"
    dimensions = 512

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[sum(ord(char) * 31**n for n, char in enumerate(word)) % self.dimensions] += 1
        rows /= np.maximum(1e-6, np.linalg.norm(rows, axis=1, keepdims=True))
        return rows


@pytest.fixture
async def runtime(shell: Shell, installed_by_words: Path, tmp_path: Path) -> AsyncIterator[Runtime]:
    copy_of(installed_by_words, tmp_path / "installed")
    async with open_runtime(load_settings(workspace=None, data_dir=tmp_path / "installed")) as opened:
        yield replace(opened, embedder=Words())


def ticket(number: int, text: str, replies: Sequence[str], category: str | None, **more: Any) -> dict[str, Any]:
    messages = [{"author": "customer", "text": text}, *({"author": "agent", "text": each} for each in replies)]
    return own(number, messages=messages, gold={"category": category} if category else None, **more)


def odd_words(seed: int, count: int = 12) -> str:
    random = np.random.default_rng(seed)
    return " ".join("".join(chr(97 + letter) for letter in random.integers(0, 26, 7)) for _ in range(count))


async def of(runtime: Runtime, tmp_path: Path, *records: object) -> Profile:
    with TicketIndex.build(written(tmp_path / "t", *records), tmp_path / "index") as index:
        return await profile(runtime, index, on_progress=lambda *_: None)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"replies": []}, "simple"),
        ({"replies": ["a"]}, "simple"),
        ({"replies": ["a", "b"]}, "moderate"),
        ({"replies": ["a"], "transfers": 1}, "moderate"),
        ({"replies": ["a", "b"], "transfers": 1}, "complex"),
        ({"replies": ["a", "b", "c", "d"]}, "complex"),
        ({"replies": ["a"], "reopened": True}, "complex"),
    ],
)
def test_complexity_is_what_it_took_unless_somebody_labelled_it(
    tmp_path: Path, more: dict[str, Any], expected: str
) -> None:
    record = ticket(1, "why?", more.pop("replies"), None, **more)
    (taken,) = Reading(written(tmp_path / "t", record))
    (labelled,) = Reading(written(tmp_path / "t", record | {"gold": {"complexity": "moderate"}}))

    assert complexity_of(taken.ticket) == expected
    assert complexity_of(labelled.ticket) == "moderate"


async def test_what_is_simple_and_repeats_is_where_to_begin(runtime: Runtime, tmp_path: Path) -> None:
    same, link = "Open Settings then Password and press the reset button", "https://help.acme.example/reset"
    records = [
        *(ticket(n, f"a {n}", [f"{same} {n}"], "password_login") for n in range(30)),
        *(ticket(100 + n, f"b {n}", [f"{odd_words(n)} {link}?u={n}"], "plans_pricing") for n in range(30)),
        *(ticket(200 + n, f"c {n}", [odd_words(500 + n)], "how_to_time") for n in range(30)),
        *(ticket(300 + n, f"d {n}", [f"no {same}"] * 5, "how_to_projects") for n in range(30)),
        *(ticket(400 + n, f"e {n}", [same], "cancellation") | {"reopened": None} for n in range(5)),
    ]

    found = await of(runtime, tmp_path, *records)

    by_id = {each.category: each for each in found.categories}
    assert {each.category for each in found.proposed[:2]} == {"plans_pricing", "password_login"}
    assert {each.category for each in found.proposed}.isdisjoint({"how_to_projects", "cancellation"})
    password, plans, time = by_id["password_login"], by_id["plans_pricing"], by_id["how_to_time"]
    assert password.repeated is not None
    assert password.repeated.value == 1.0
    assert time.repeated is not None
    assert time.repeated.value < 0.2
    assert password.alike is not None
    assert time.alike is not None
    assert password.alike.low > 0.5 > time.alike.high
    assert (plans.same_article, plans.article) == (1.0, link)
    assert by_id["how_to_projects"].complexity == {"simple": 0.0, "moderate": 0.0, "complex": 1.0}
    assert (password.tickets, round(password.share, 4)) == (30, round(30 / 125, 4))


async def test_what_needs_a_person_is_not_where_to_begin(runtime: Runtime, tmp_path: Path) -> None:
    records = [ticket(n, f"a {n}", ["Open Settings"], "password_login") for n in range(40)]
    for record in records:
        record["gold"]["needs_person"] = True

    found = await of(
        runtime, tmp_path, *records, *(ticket(100 + n, "b", ["Do it"], "plans_pricing") for n in range(40))
    )

    assert [each.category for each in found.proposed] == ["plans_pricing"]


async def test_tickets_without_a_category_are_heard_and_the_rest_is_grouped(runtime: Runtime, tmp_path: Path) -> None:
    groups = ("zeppelin mooring ballast rope", "gramophone needle shellac record")
    records = [
        *(own(n, "I forgot my password and the reset link has expired") for n in range(10)),
        *(own(100 + n, f"{groups[n % 2]} {odd_words(n, 2)}", language="en") for n in range(60)),
    ]

    found = await of(runtime, tmp_path, *records)

    assert found.heard == 70
    assert sum(each.tickets for each in found.categories) == 70
    assert {each.category for each in found.categories} >= {"password_login", None}
    assert found.uncategorised >= 50
    assert len(found.clusters) == 2
    for cluster in found.clusters:
        assert set(cluster.words[:4]) in [set(group.split()) for group in groups]
        assert cluster.example_id.startswith("T-1")


async def test_volumes_of_a_sample_stand_for_all(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evals.tickets.profile.MAX_HEARD", 20)
    records = [own(n, "I forgot my password and the reset link has expired") for n in range(200)]

    found = await of(runtime, tmp_path, *records)

    assert MAX_HEARD > 20
    assert found.heard == 20
    assert [(each.category, each.tickets) for each in found.categories] == [("password_login", 200)]


async def test_hours_are_those_of_the_workspace_and_languages_are_heard(runtime: Runtime, tmp_path: Path) -> None:
    found = await of(
        runtime,
        tmp_path,
        own(1, "Wo finde ich die Rechnung vom letzten Monat?", created_at="2026-07-06T22:30:00Z", channel="email"),
        own(2, "where is it", created_at="2026-07-08T08:00:00Z", language="en"),
    )

    assert found.timezone == "Europe/Berlin"
    assert found.hours[1][0] == 1
    assert found.hours[2][10] == 1
    assert sum(map(sum, found.hours)) == 2
    assert found.languages == {"de": 1, "en": 1}
    assert found.channels == {"email": 1, "unknown": 1}


async def test_a_profile_is_the_same_every_time(runtime: Runtime, tmp_path: Path) -> None:
    records = [
        *(own(n, odd_words(n), language="en") for n in range(30)),
        *(ticket(100 + n, "a", [odd_words(n % 7)], ("password_login", "plans_pricing")[n % 2]) for n in range(100)),
    ]

    first, second = [await of(runtime, tmp_path, *records) for _ in range(2)]

    assert first.to_json() == second.to_json()

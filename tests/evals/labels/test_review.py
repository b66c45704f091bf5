"""The review screen's server: who gets in, what is saved, and which tickets come up."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from agent.types import Kind
from evals.labels.file import Hand, HandLabels
from evals.labels.review.app import build_review_app, new_token
from evals.labels.review.desk import ReviewDesk
from evals.labels.review.sampling import stratified
from evals.tickets.ticket import Gold, Ticket
from tests.evals.labels.arrange import ARTICLES, POLICY, ticket

TOKEN = "a-token"
TICKETS = [
    replace(
        ticket(f"Question {n}", "I've refunded it.", number=n, days=n), gold=Gold(category="bug" if n % 3 else None)
    )
    for n in range(12)
]


@pytest.fixture
def labels(tmp_path: Path) -> HandLabels:
    return HandLabels.open(tmp_path / "t.labels.jsonl")


def browser(labels: HandLabels, *, labeller: str = "ada", blind: bool = False, token: str = TOKEN) -> TestClient:
    desk = ReviewDesk(TICKETS, labels, labeller, POLICY, ARTICLES, blind=blind)
    headers = {"Authorization": f"Bearer {token}"}
    return TestClient(build_review_app(desk, TOKEN), base_url="http://127.0.0.1:8000", headers=headers)


DOORS = [("GET", "/api/setup"), ("GET", "/api/order"), ("GET", "/api/ticket?ticket_id=T-1"), ("PUT", "/api/label")]
DOORS += [("POST", "/api/undo"), ("GET", "/api/articles?query=x")]


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer a-toke", "Bearer a-token2", "Basic a-token", "Bearer ÿ"])
@pytest.mark.parametrize(("method", "path"), DOORS)
def test_without_the_token_nothing_is_told_and_nothing_done(
    labels: HandLabels, method: str, path: str, given: str
) -> None:
    client = browser(labels)
    body = {"ticket_id": "T-1", "label": {"kind": "bug"}}

    answer = client.request(method, path, headers={b"Authorization": given.encode("latin-1")}, json=body)

    assert answer.status_code == 401
    assert "Question" not in answer.text
    assert not labels.path.exists()


def test_every_door_is_among_those_that_were_tried(labels: HandLabels) -> None:
    app = build_review_app(ReviewDesk(TICKETS, labels, "ada", POLICY), TOKEN)
    routes = {route.path for route in app.routes if hasattr(route, "path")}

    assert routes == {path.partition("?")[0] for _, path in DOORS} | {"/", "/{name}"}


def test_another_host_is_refused(labels: HandLabels) -> None:
    answer = browser(labels).get("/api/setup", headers={"Host": "evil.example"})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "path", ["/", "/review.js", "/review.css", "/api/setup", "/nothing", "/api/ticket?ticket_id=0"]
)
def test_every_answer_carries_the_policy(labels: HandLabels, path: str) -> None:
    headers = browser(labels).get(path).headers

    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/..%2fapp.py", "/app.py", "/%2e%2e/desk.py", "/docs", "/openapi.json"])
def test_no_other_file_is_served(labels: HandLabels, path: str) -> None:
    assert browser(labels).get(path).status_code == 404


def test_tokens_are_long_and_new() -> None:
    assert len({new_token() for _ in range(100)}) == 100
    assert min(len(new_token()) for _ in range(100)) >= 32


def test_a_label_is_on_disk_when_the_answer_comes(labels: HandLabels) -> None:
    said = {"kind": "bug", "needs_person": False, "articles": []}

    answer = browser(labels).put("/api/label", json={"ticket_id": "T-3", "label": said})

    assert answer.json()["label"]["kind"] == "bug"
    assert HandLabels.open(labels.path).by("ada") == {"T-3": Hand(kind=Kind.BUG, needs_person=False, articles=())}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"ticket_id": "gone", "label": {}}, 404),
        ({"ticket_id": "T-1", "label": {"kind": "nonsense"}}, 422),
        ({"ticket_id": "T-1", "label": {"stray": 1}}, 422),
        ({"ticket_id": "T-1", "label": {"articles": ["a"] * 21}}, 422),
    ],
)
def test_what_is_no_label_is_refused(labels: HandLabels, body: dict[str, Any], status: int) -> None:
    assert browser(labels).put("/api/label", json=body).status_code == status
    assert not labels.path.exists()


def test_undo_goes_back_step_by_step_over_tickets_and_restarts(labels: HandLabels) -> None:
    client = browser(labels)
    for ticket_id, kind in [("T-1", "bug"), ("T-2", "bug"), ("T-1", "how_to")]:
        client.put("/api/label", json={"ticket_id": ticket_id, "label": {"kind": kind}})
    again = browser(HandLabels.open(labels.path))

    undone = [again.post("/api/undo").json() for _ in range(3)]

    assert [(one["ticket_id"], (one["label"] or {}).get("kind")) for one in undone] == [
        ("T-1", "bug"),
        ("T-2", None),
        ("T-1", None),
    ]
    assert again.post("/api/undo").status_code == 404


def test_a_file_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    client = browser(HandLabels(tmp_path / "no folder" / "labels"))

    answer = client.put("/api/label", json={"ticket_id": "T-1", "label": {"kind": "bug"}})

    assert answer.status_code == 507
    assert "can't be written" in answer.json()["detail"]


def test_what_is_known_is_shown_with_its_source_unless_one_labels_blind(labels: HandLabels) -> None:
    shown = browser(labels).get("/api/ticket", params={"ticket_id": "T-1"}).json()
    blind = browser(labels, blind=True).get("/api/ticket", params={"ticket_id": "T-1"}).json()

    known = {one["field"]: one for one in shown["known"]}
    assert (known["category"]["value"], known["category"]["source"]) == ("bug", "gold")
    assert (known["needs_person"]["value"], known["needs_person"]["rule"]) == (True, "person_acted")
    assert blind["known"] == []
    assert [entry["text"] for entry in shown["entries"]] == ["Question 1", "I've refunded it."]


def test_rules_that_contradict_each_other_are_both_shown_and_neither_is_taken(labels: HandLabels) -> None:
    torn = ticket("How do I do it?", "Look.", number=1, resolved_by="customer", transfers=1)
    desk = ReviewDesk([torn], labels, "ada", POLICY)

    known = [one for one in desk.ticket("T-1")["known"] if one["field"] == "needs_person"]

    assert sorted((one["rule"], one["value"], one["sure"]) for one in known) == [
        ("solved_alone", False, False),
        ("transferred", True, False),
    ]


def test_what_another_labeller_said_is_never_told(labels: HandLabels) -> None:
    labels.say("T-1", "ben", Hand(category="how_to_time", bug_id="a bug of ben"))
    client = browser(labels)

    shown = client.get("/api/ticket", params={"ticket_id": "T-1"})
    order = client.get("/api/order").json()

    assert shown.json()["label"] is None
    assert "ben" not in shown.text
    assert (order["labelled"], "T-1" in order["ticket_ids"]) == (0, True)


def test_one_finds_the_tickets_on_which_another_labeller_differs_but_not_how(labels: HandLabels) -> None:
    others = HandLabels.open(labels.path)
    for labeller, ticket_id, kind in [("ada", "T-1", "bug"), ("ada", "T-2", "bug"), ("ada", "T-3", "bug")]:
        labels.say(ticket_id, labeller, Hand(kind=Kind(kind)))
    client = browser(labels)
    others.say("T-1", "ben", Hand(kind=Kind.BUG))
    others.say("T-2", "ben", Hand(kind=Kind.HOW_TO))

    answer = client.get("/api/order", params={"show": "disputed"})

    assert answer.json()["ticket_ids"] == ["T-2"]
    assert "ben" not in answer.text


def test_the_filter_and_the_sample(labels: HandLabels) -> None:
    client = browser(labels)
    everyone = client.get("/api/order", params={"show": "all"}).json()["ticket_ids"]
    drawn = client.get("/api/order", params={"show": "all", "sample": 6, "seed": 4}).json()["ticket_ids"]
    client.put("/api/label", json={"ticket_id": drawn[0], "label": {"kind": "bug"}})

    left = client.get("/api/order", params={"sample": 6, "seed": 4}).json()
    done = client.get("/api/order", params={"show": "labelled", "sample": 6, "seed": 4}).json()

    assert everyone == [ticket.ticket_id for ticket in TICKETS]
    assert (left["ticket_ids"], left["labelled"], left["total"]) == (drawn[1:], 1, 6)
    assert done["ticket_ids"] == drawn[:1]
    assert categories(drawn) == {"bug": 4, None: 2}


def categories(ticket_ids: list[str]) -> dict[str | None, int]:
    by_id: dict[str, Ticket] = {ticket.ticket_id: ticket for ticket in TICKETS}
    return Counter(by_id[ticket_id].gold.category for ticket_id in ticket_ids)


def test_articles_are_found_by_the_beginnings_of_words(labels: HandLabels) -> None:
    client = browser(labels)

    def found(query: str) -> list[str]:
        return [article["id"] for article in client.get("/api/articles", params={"query": query}).json()]

    assert found("timer")[0] == "time/timer"
    assert found("EDIT ent") == ["time/edit-entries"]
    assert found("nothing like that") == []
    assert found("(((") == []


STRATA = {"a": [f"a{n}" for n in range(90)], "b": [f"b{n}" for n in range(9)], "c": ["c0"], "": []}


@pytest.mark.parametrize("size", [1, 2, 3, 10, 50, 99, 100, 500])
def test_a_sample_has_its_size_and_every_stratum_its_share(size: int) -> None:
    drawn = stratified(STRATA, size, seed=1)
    shares = Counter(member[0] for member in drawn)

    assert len(drawn) == len(set(drawn)) == min(size, 100)
    if size >= 3:
        assert min(shares["a"], shares["b"], shares["c"]) >= 1
        assert abs(shares["a"] - 0.9 * len(drawn)) <= 2


def test_a_sample_is_the_same_for_a_seed_and_another_for_another() -> None:
    assert stratified(STRATA, 20, seed=3) == stratified(STRATA, 20, seed=3)
    assert stratified(STRATA, 20, seed=3) != stratified(STRATA, 20, seed=4)


def test_who_stops_half_way_has_labelled_a_fair_sample() -> None:
    halves = [Counter(member[0] for member in stratified(STRATA, 40, seed=seed)[:20])["a"] for seed in range(50)]

    assert 16 <= sum(halves) / 50 <= 20


def test_the_page_is_one_that_needs_nothing_else(labels: HandLabels) -> None:
    client = browser(labels)
    page, script, style = (client.get(path).text for path in ("/", "/review.js", "/review.css"))

    assert not [
        part for part in ("http://", "https://", "innerHTML", "insertAdjacent", "url(") if part in page + script + style
    ]
    assert json.loads(client.get("/api/setup").text)["has_articles"] is True

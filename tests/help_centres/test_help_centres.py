"""The invented help centres can be played, and their expectations can be met."""

from pathlib import Path

import pytest

from agent.phrases import Phrase, phrase
from tests.help_centres.__main__ import NAMES, arguments, conversations
from tests.help_centres.judging import OUTCOMES, Expected, judge, shares

_FOLDER = Path(__file__).parent
_CITED = [{"article_id": "refunds"}]


@pytest.mark.parametrize("name", NAMES)
def test_an_expected_answer_names_articles_that_there_are_and_says_what_they_say(name: str) -> None:
    articles = {path.stem: path.read_text(encoding="utf-8") for path in (_FOLDER / name / "articles").glob("*.md")}
    for conversation in conversations(name):
        for turn in conversation["turns"]:
            expected = Expected.read(turn)
            assert set(expected.outcomes) <= set(OUTCOMES)
            assert expected.all_said_in("\n".join(articles[each] for each in expected.articles))


@pytest.mark.parametrize(
    ("text", "ended", "citations", "outcome"),
    [
        ("Within 14 days. [1]", "answered", _CITED, "answer"),
        (phrase(Phrase.DONT_KNOW_NEAREST, "de", titles="„Storno“ [1]"), "asked", _CITED, "ask"),
        (phrase(Phrase.NEAREST_SAYS, "en", titles="“R” [1]", quote="14 days."), "asked", _CITED, "ask"),
        (phrase(Phrase.NEAREST_SAYS_OR, "es", titles="«R» [1]", quote="14.", other="«S» [2]"), "asked", _CITED, "ask"),
        (phrase(Phrase.DONT_KNOW, "es"), "asked", [], "dont_know"),
        (phrase(Phrase.BUG_ASK_STEPS, "en"), "asked", [], "bug"),
        ("Filed.", "bug_filed", [], "bug"),
        (phrase(Phrase.DONT_KNOW_FEATURE, "en"), "asked", [], "wish"),
        (phrase(Phrase.GREETING, "en"), "answered", [], "social"),
        ("A person will answer.", "handed_off", [], "person"),
    ],
)
def test_a_reply_is_what_it_came_to(text: str, ended: str, citations: list[dict[str, str]], outcome: str) -> None:
    seen = judge(Expected(("answer",), ("refunds",)), text, {"outcome": ended, "citations": citations})

    assert seen.outcome == outcome


@pytest.mark.parametrize(
    ("articles", "says", "right"),
    [(("refunds",), ("14 days|two weeks",), True), (("refunds",), ("30 days",), False), (("plans",), (), False)],
)
def test_an_answer_is_right_that_says_the_fact_from_the_right_article(
    articles: tuple[str, ...], says: tuple[str, ...], right: bool
) -> None:
    told = {"outcome": "answered", "citations": _CITED}

    seen = judge(Expected(("answer",), articles, says), "Within 14 Days. [1]", told)

    assert seen.right is seen.as_expected is right


def test_shares_are_of_the_turns_that_they_are_about() -> None:
    expected, told = Expected(("answer",), ("refunds",)), {"outcome": "answered", "citations": _CITED}
    greeting = {"outcome": "answered", "citations": []}
    seen = [
        judge(expected, "Within 14 days.", told),
        judge(expected, phrase(Phrase.DONT_KNOW, "en"), {"outcome": "asked", "citations": []}),
        judge(Expected(("social",)), phrase(Phrase.GREETING, "en"), greeting),
    ]

    found = shares(seen)

    assert (found["answerable"], found["answered right"], found["answerable: dont_know"]) == (2, 0.5, 0.5)
    assert found["others as expected"] == 1
    assert found["as expected"] == pytest.approx(2 / 3)


def test_a_help_centre_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(["bok"])

    assert "there is no help centre bok" in capsys.readouterr().err

"""Questions in other languages and English articles."""

from agent.types import Passage, Source, Untrusted
from tools.knowledge.gists import merged


def passage(passage_id: str, article_id: str, score: float, language: str) -> Passage:
    text = Untrusted.of("Go to Settings.", Source.ARTICLE)
    return Passage(passage_id, article_id, article_id, "", text, None, language, score, None, None, 0)


def test_an_english_article_that_fits_much_better_comes_first_and_the_own_language_else() -> None:
    own = [passage("de-1", "de-cancel", 0.5, "de")]

    assert [p.passage_id for p in merged(own, [passage("en-1", "seats", 0.8, "en")], 8)] == ["en-1", "de-1"]
    assert [p.passage_id for p in merged(own, [passage("en-1", "seats", 0.6, "en")], 8)] == ["de-1", "en-1"]


def test_a_gist_finds_no_articles_of_other_languages() -> None:
    assert merged([], [passage("es-1", "es-cancel", 0.9, "es")], 8) == []


def test_each_passage_is_there_once_and_ranks_are_counted_anew() -> None:
    both = merged([passage("a", "seats", 0.3, "en")], [passage("a", "seats", 0.9, "en")], 8)

    assert [(p.passage_id, p.score, p.rank) for p in both] == [("a", 0.78, 0)]


def test_what_was_found_of_the_best_article_is_not_crowded_out() -> None:
    own = [passage(f"de-{n}", "de-invoices", score, "de") for n, score in enumerate((0.9, 0.1, 0.1))]
    gist = [passage(f"en-{n}", f"other-{n}", 0.6, "en") for n in range(8)]

    found = merged(own, gist, 8)

    assert {"de-0", "de-1", "de-2"} <= {p.passage_id for p in found}
    assert len(found) == 8
    assert [p.rank for p in found] == list(range(8))

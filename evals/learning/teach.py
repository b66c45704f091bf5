"""From lessons to a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from evals.learning.ends import outcome_of
from evals.learning.lessons import Lessons
from evals.learning.measure import Seen
from evals.tickets.ticket import Ticket
from tools.engines.local.signals import of_answer
from tools.knowledge.matching import Questions, Wording
from tools.learned.classifier import LearnedClassifier, learn_classifier
from tools.learned.logistic import Odds, learn_odds
from tools.learned.model import Trust, log_odds
from tools.learned.outcomes import ARTICLE, Outcomes, Taught, learn_outcomes, left_out

_SMALL = 3000
# The engine's own probabilities are kept until about this many tickets speak against them.
_FAITH = 6.0


def learn_kind(lessons: Lessons) -> LearnedClassifier | None:
    """Learn kinds from the tickets that have one; None when there are too few."""
    return _learn(lessons, [ticket.gold.kind.value if ticket.gold.kind else None for ticket in lessons.tickets])


def learn_category(lessons: Lessons, known: Sequence[str]) -> LearnedClassifier | None:
    """Learn the workspace's categories; labels that it doesn't have are left out."""
    return _learn(lessons, [t.gold.category if t.gold.category in known else None for t in lessons.tickets])


def known_questions(
    lessons: Lessons,
    articles: Mapping[str, str],
    languages: Mapping[str, str],
    vectors: Mapping[str, NDArray[np.float32]],
) -> Questions | None:
    """Return the questions whose answering article is known, or None when no ticket has one.

    Args:
        lessons: the tickets.
        articles: article ids by what a ticket may call them (id, or address in a reply).
        languages: the language of each article, by id.
        vectors: what `embed_questions` gave for these lessons or more.
    """
    answered = [
        (text.gist, articles[ticket.gold.article])
        for ticket, text in zip(lessons.tickets, lessons.texts, strict=True)
        if ticket.gold.article is not None and ticket.gold.article in articles and text.gist in vectors
    ]
    if not answered:
        return None
    texts = [text for text, _ in answered]
    article_ids = [article_id for _, article_id in answered]
    return Wording().questions(
        texts,
        [languages[article_id] for article_id in article_ids],
        article_ids,
        np.stack([vectors[text] for text in texts]),
    )


def learn_trust(probabilities: Sequence[float], right: Sequence[bool]) -> Trust:
    """Fit the line in log-odds that makes promised and kept agree; drawn towards leaving them as they are.

    Source: Platt, "Probabilistic outputs for support vector machines", 1999; the pull is a ridge penalty.
    """
    if not probabilities or all(right) or not any(right):
        return Trust()
    odds = log_odds(np.array(probabilities))
    kept = np.array(right, dtype=float)

    def loss(line: NDArray[np.float64]) -> float:
        total = line[0] * odds + line[1]
        likelihood = kept * np.logaddexp(0, -total) + (1 - kept) * np.logaddexp(0, total)
        return float(likelihood.sum() + _FAITH * ((line[0] - 1) ** 2 + line[1] ** 2))

    slope, shift = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead").x
    return Trust(float(max(slope, 0.1)), float(shift))


@dataclass(frozen=True, slots=True)
class Judging:
    """What the judgement learns: how tickets end, and whether the best article answers."""

    outcomes: Outcomes
    answers: Odds


def learn_judging(
    tickets: Sequence[Ticket],
    plain: Sequence[Seen],
    searched: Sequence[Seen | None],
    articles: Mapping[str, str],
) -> Judging | None:
    """Learn from tickets that say how they ended; None when too few do.

    Args:
        tickets: those to learn from.
        plain: what the shipped engine made of each.
        searched: what was found with the known questions in use, for tickets that come after these; None for others.
        articles: article ids by what a ticket may call them.
    """
    places = [
        place
        for place, ticket in enumerate(tickets)
        if outcome_of(ticket, articles) is not None and plain[place].impression is not None
    ]
    seen = [(place, impression) for place in places if (impression := plain[place].impression) is not None]
    if not seen:
        return None
    labels = tuple(str(outcome_of(tickets[place], articles)) for place in places)
    taught = Taught(tuple(impression.signals for _, impression in seen), np.stack([i.vector for _, i in seen]), labels)
    outcomes = learn_outcomes(taught)
    if outcomes is None:
        return None
    rows, kept = [], []
    for place, label, said in zip(places, labels, left_out(taught), strict=True):
        found = searched[place]
        if found is not None and said:
            rows.append(of_answer(found.found, found.passages, said))
            right = found.article_id is not None and articles.get(tickets[place].gold.article or "") == found.article_id
            kept.append(right and label == ARTICLE)
    answers = learn_odds(rows, kept)
    return Judging(outcomes, answers) if answers is not None else None


def _learn(lessons: Lessons, labels: Sequence[str | None]) -> LearnedClassifier | None:
    places = [place for place, label in enumerate(labels) if label is not None]
    chosen = lessons.take(places)
    named = [label for label in labels if label is not None]
    # Two threads of the linear algebra wait for each other longer than they work on matrices this small.
    with threadpool_limits(limits=1 if len(named) < _SMALL else None):
        return learn_classifier(chosen.texts, named, chosen.meanings)

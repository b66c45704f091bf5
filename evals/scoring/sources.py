"""The knowledge base's part: was there an article, was it found, was it used; and what the citations are worth."""

from dataclasses import dataclass

from agent.policy import Policy
from evals.labels.label import Label
from evals.replay.case import Turn
from evals.scoring.containment import is_supported
from evals.scoring.known import Known
from evals.scoring.reading import Log, Rules, cited_articles


@dataclass(frozen=True, slots=True)
class KnowledgeChain:
    """For a question that an article could answer: each step holds only where the one before does.

    None where nobody said which article answers it.
    """

    exists: Known
    retrieved: Known
    used: Known


@dataclass(frozen=True, slots=True)
class Sourcing:
    """What a case's claims and citations are worth. `supported` of `judged` claims, of `claims` in all.

    `cited_right` says whether an answer cites an article that answers the ticket; of `cited` different articles,
    `cited_known` do. `dangling` claims cite what was neither found nor shown.
    """

    claims: int
    judged: int
    supported: int
    dangling: int
    cited: int
    cited_known: int | None
    cited_right: Known


# Other reasons for a person aren't for want of an article.
_NO_ARTICLE = "unanswered"


def chain(log: Log, label: Label, needs_person: Known, policy: Policy) -> KnowledgeChain | None:
    """Follow the article; None where none is called for: bugs, and what needs a person for another reason."""
    if label.is_bug or (needs_person and label.needs_person_reason != _NO_ARTICLE and not label.articles):
        return None
    if label.articles is None:
        return KnowledgeChain(None, None, None)
    exists = bool(label.articles)
    retrieved = exists and any(
        found.article_id in label.articles and found.rank < policy.passages_per_turn
        for turn in log.case.turns
        for found in turn.found
    )
    used = retrieved and any(_says_from(turn, article, policy) for turn in log.answers for article in label.articles)
    return KnowledgeChain(exists, retrieved, used)


def _says_from(turn: Turn, article_id: str, policy: Policy) -> bool:
    """Whether a supported sentence of the answer cites this article."""
    passages = {cited.passage_id for cited in turn.citations if cited.article_id == article_id}
    passages |= {found.passage_id for found in turn.found if found.article_id == article_id}
    shown = any(cited.article_id == article_id for cited in turn.citations)
    return shown and any(
        is_supported(claim, policy) is not False and not passages.isdisjoint(claim.cites) for claim in turn.claims
    )


def sourcing(log: Log, label: Label, policy: Policy, rules: Rules) -> Sourcing:
    """Count the claims and citations of all answers."""
    judged = supported = claims = dangling = 0
    articles: dict[str, None] = {}
    right: Known = None
    for turn in log.answers:
        known = {found.passage_id for found in turn.found} | {cited.passage_id for cited in turn.citations}
        for claim in turn.claims:
            claims += 1
            dangling += not known.issuperset(claim.cites)
            verdict = is_supported(claim, policy)
            judged += verdict is not None
            supported += verdict is True
        articles.update(dict.fromkeys(cited.article_id for cited in turn.citations))
        if label.articles and turn.citations:
            right = bool(right) or any(article in label.articles for article in cited_articles(turn, rules))
    return Sourcing(
        claims=claims,
        judged=judged,
        supported=supported,
        dangling=dangling,
        cited=len(articles),
        cited_known=sum(article in label.articles for article in articles) if label.articles else None,
        cited_right=right,
    )

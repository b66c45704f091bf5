"""Plain words for the names in logs and scores."""

from dataclasses import dataclass

from agent.policy import Policy
from evals.report.verdicts import Source, Verdict
from evals.scoring.categories import UNLABELLED

Tone = str


@dataclass(frozen=True, slots=True)
class Words:
    """A short title, what it means, and the tone that it is drawn in."""

    title: str
    meaning: str
    tone: Tone = "none"


VERDICT_WORDS: dict[Verdict, Words] = {
    "contained": Words(
        "Settled correctly", "Answered rightly from the articles, or the bug was filed; no person needed.", "good"
    ),
    "handed_rightly": Words("Rightly handed over", "Needed a person, and a person was called.", "good2"),
    "asked": Words("Ended on our question", "The agent asked back. What came of it is not in the history.", "asked"),
    "open": Words("Left open", "Answered, and nothing shows that it is right. Somebody still has to take it."),
    "handed_needlessly": Words("Needlessly handed over", "A person was called, though none was needed.", "fair"),
    "missed": Words(
        "Left without the person needed", "Needed a person and none was called; nothing wrong was said.", "bad2"
    ),
    "wrong": Words(
        "Wrong", "Told something wrong, or given an answer where a person was needed. The costly mistake.", "bad"
    ),
    "unscored": Words("Not known", "No label says what would have been right.", "unknown"),
    "courtesy": Words("No request", "Thanks, greetings: nothing was asked.", "unknown"),
    "failed": Words("Broke down", "Our own process or a service failed; it says nothing about the agent.", "unknown"),
    "leaked": Words("Left out", "The articles or the model were made from this very ticket.", "unknown"),
}

SOURCE_WORDS: dict[Source, str] = {
    "hand": "by hand",
    "gold": "came with the tickets",
    "rule": "by rule, from how it went",
    "none": "no label",
}

ENDING_WORDS = {
    "end": "Replayed to its end",
    "handed_off": "Ended with the handoff",
    "diverged": "Replayed in part: the recorded next message answered something else",
    "failed": "Broke down on our side",
    "leaked": "Left out: made from this very ticket",
}

MISTAKE_WORDS = {
    "wrong_answer": "told something wrong",
    "missed_handoff": "a person was needed and none came",
    "needless_handoff": "handed over without need",
    "needless_question": "asked something back",
    "needless_ticket": "filed a bug that is none",
    "left_open": "left open: somebody still has to take it",
}

REASONS = {
    "account_change": "a change to the account",
    "account_tier": "an important account",
    "agreed_to_report": "agreed to a bug report",
    "confirmed_article": "said yes to an article",
    "angry_high_value": "an important customer is angry",
    "answers_bug_question": "answers our question about a bug",
    "denies_bug": "says that it is no bug",
    "unspecific": "says that something fails and not what",
    "category_costs": "this category's own costs",
    "category_needs_person": "category reserved for people",
    "category_off": "category not automated",
    "complaint": "a complaint",
    "courtesy": "only a courtesy",
    "data_loss": "lost data",
    "engine_asked": "the model asked for a person",
    "evidence": "evidence in the articles",
    "explicit_wish": "asked for a person",
    "failed_attempts": "earlier answers didn't help",
    "identity": "identity has to be checked",
    "investigation": "has to be looked into",
    "judge_failed": "the decision itself failed",
    "already_filed": "a bug was filed before the turn was interrupted",
    "kind_bug": "sounds like a bug",
    "known_question": "a known question",
    "remedy": "an article on it",
    "remedy_failed": "the article on it didn't help",
    "legal": "a legal matter",
    "money_dispute": "a dispute about money",
    "no_answer": "no answer was sure enough",
    "page_errors": "errors on the page",
    "risk": "a risky subject",
    "security": "security",
    "sentiment": "the mood of the message",
    "unanswered": "no article answers it",
    "unsaid": "no reason given",
}

GAP_WORDS = {
    "missing": Words("To write", "No article answers these. By category."),
    "not_retrieved": Words(
        "To make findable", "The article exists, but was not found. Try other words in its title, or split it."
    ),
    "not_used": Words("Found, but not used", "The right passage was found, and not used for an answer."),
}

METRIC_WARNINGS = {
    "went_quiet": "Those who gave up count as helped: an agent that never hands over wins this one.",
    "confirmed": "Few people say so, and polite ones say so too early.",
    "containment": "As good as the labels: where one names too few articles, right answers count as wrong.",
    "durable_containment": "From history: they came back, or not, after the human's answer.",
    "open_question": "Asking is not answering: these count as neither contained nor wrong.",
    "silent_end": "Nothing shows whether these were helped.",
    "wrong_containment": "As good as the labels.",
    "false_promise": "A promise has to be said in a way that the rules know.",
}


def reason_words(name: str | None) -> str:
    """A reason for a handoff or a decision, in words."""
    if name is None:
        return "no person"
    return REASONS.get(name, name.replace("_", " "))


def category_names(policy: Policy) -> dict[str, str]:
    """The categories' names by id."""
    return {known.category_id: known.name for known in policy.categories} | {UNLABELLED: "Without a category"}

"""What the shipped engine makes of a message, as named numbers: what learning from tickets begins with."""

from collections.abc import Mapping

import numpy as np

from agent.types import Evidence, Passage, Understanding
from tools.engines.local.ears.training import Ears, Row
from tools.learned.model import log_odds
from tools.learned.outcomes import OUTCOMES

_SETS = ("kind", "wish", "risk", "category", "feedback", "courtesy", "lookup", "sentiment")
_OF_EVIDENCE = (
    "top_score",
    "dense",
    "coverage",
    "margin",
    "agreement",
    "named",
    "one_word",
    "long",
    "other_language",
    "by_passages",
)


def of_message(ears: Ears, row: Row, understanding: Understanding, evidence: Evidence) -> dict[str, float]:
    """Every probability that the shipped classifiers have for it, what its passages promise, and its shape."""
    text = understanding.question.render_plain()
    heard = {f"{name}={label}": p for name in _SETS for label, p in sorted(ears.hear(name, row).probabilities.items())}
    return {
        **heard,
        **{name: evidence.features.get(name, 0.0) for name in _OF_EVIDENCE},
        "wish": understanding.wish_for_person,
        "risk": understanding.risk,
        "sentiment": understanding.sentiment,
        "dissatisfied": understanding.dissatisfied,
        "lines": float("\n" in text.strip()),
        "length": float(np.log1p(len(text)) / 3),
        "asks": float("?" in text),
    }


def of_answer(evidence: Evidence, passages: tuple[Passage, ...], outcomes: Mapping[str, float]) -> dict[str, float]:
    """What speaks for the best article: the passages' own promise, where they stand, and how such tickets ended.

    `outcomes` are probabilities by label; one that too few tickets had is as good as impossible.
    """
    best = max(passages, key=lambda passage: passage.score, default=None)
    known = evidence.features.get("known", 0.0)
    return {
        # Without what a lookup promises: that has the account's answer and not an article's.
        "promised": float(log_odds(np.array(max(evidence.features.get("by_passages", 0.0), known)))),
        **{name: evidence.features.get(name, 0.0) for name in _OF_EVIDENCE},
        "known": known,
        "on_page": float(best is not None and best.on_page),
        **{f"outcome={label}": float(log_odds(np.array(outcomes.get(label, 0.0)))) for label in OUTCOMES},
    }

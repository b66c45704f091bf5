"""Which kind a message is, where what the classifiers say of it alone isn't the whole of it."""

from dataclasses import replace

from agent.types import Kind
from tools.engines.local.ears.classify import Scored, likeliest
from tools.engines.local.ears.training import Ears, Row
from tools.learned.classifier import LearnedClassifier

IDLE_KINDS = (Kind.SMALL_TALK, Kind.WANTS_PERSON, Kind.ABUSE)
"""Kinds of messages that aren't about the product."""
SURE_ALONE = 0.6
"""From here on a kind is taken from the message's own words."""
SURE_COURTESY, CLEAR_COURTESY = 0.8, 0.65
"""From here on a courtesy is surely one, and it is clear which."""
NO_COURTESY = "none"
UNFRIENDLY = -0.3
"""Moods above this aren't unfriendly."""

# Trouble of an ordinary reason: a setting, a permission, a limit, an expired link. Told apart from faults of the
# software where the ears were taught to.
_TROUBLED = "trouble"
_SURELY_NONE = 0.5
_BRIEF_WORDS, _FEW_WORDS = 2, 3
_UNMISTAKABLE = 0.9
_DELIGHTED = 0.55


def heard_kind(ears: Ears, row: Row) -> Scored:
    """What kind a message is. Trouble is reported, whoever's fault it is."""
    scored = ears.hear("kind", row)
    if _TROUBLED not in scored.probabilities:
        return scored
    merged = {label: p for label, p in scored.probabilities.items() if label != _TROUBLED}
    merged[Kind.BUG.value] = scored.of(Kind.BUG) + scored.of(_TROUBLED)
    return likeliest(merged)


def fault_in(ears: Ears, row: Row) -> float:
    """How likely trouble is the software's fault; 1 where the ears weren't taught to tell."""
    scored = ears.hear("kind", row)
    bug, troubled = scored.of(Kind.BUG), scored.of(_TROUBLED)
    return bug / (bug + troubled) if troubled else 1.0


def of_follow_up(alone: Scored, whole: Scored) -> Scored:
    """The kind of a follow-up: its own when that is clear, else halfway to what the whole question is."""
    if alone.label in (Kind.COMPLAINT, *IDLE_KINDS) and alone.confidence >= SURE_ALONE:
        return alone
    return likeliest({label: (alone.of(label) + whole.of(label)) / 2 for label in alone.probabilities})


def is_no_courtesy(kind: Scored, courtesy: Scored, mood: float, newest: str, *, follows: bool) -> bool:
    """Whether what sounds like small talk or abuse is neither: "and yearly?", "dark mode?", "in Firefox", "api key".

    A few words that no example has say little. But who asks doesn't give thanks or take leave, which courtesy it would
    be, if one, is clear of real ones, and whoever is rude in a word or two is rude.
    """
    none, asks = courtesy.label == NO_COURTESY, newest.endswith("?")
    if kind.label == Kind.SMALL_TALK and mood >= _DELIGHTED and not asks:
        return False
    if kind.label == Kind.SMALL_TALK and none and (follows or courtesy.confidence >= _SURELY_NONE):
        return True
    said = len(newest.split())
    unclear = kind.confidence < SURE_COURTESY and courtesy.confidence < _SURELY_NONE
    if kind.label == Kind.SMALL_TALK and said <= _FEW_WORDS and unclear:
        return True
    if kind.label == Kind.ABUSE and mood > UNFRIENDLY and said <= _BRIEF_WORDS:
        return True
    if not asks or (not none and courtesy.confidence >= CLEAR_COURTESY):
        return False
    if kind.label == Kind.ABUSE:
        return follows and mood > UNFRIENDLY
    return kind.label == Kind.SMALL_TALK and (follows or courtesy.label not in ("greeting", "who"))


def is_courtesy(courtesy: Scored, mood: float, *, asks: bool) -> bool:
    """Whether what sounds like nothing in particular is a courtesy, or praise: "tschüss", "I love this tool"."""
    clear = courtesy.label != NO_COURTESY and courtesy.confidence >= _UNMISTAKABLE
    return clear or (mood >= _DELIGHTED and not asks)


def about_something(alone: Scored, whole: Scored) -> Scored:
    """What a message is that is no courtesy, going by its own words and by those with what it hangs on."""
    return likeliest(
        {
            label: (alone.of(label) + whole.of(label)) / 2
            for label in alone.probabilities
            if label not in (Kind.SMALL_TALK, Kind.ABUSE)
        }
    )


def clearly_idle(kind: Scored, learned: LearnedClassifier | None) -> bool:
    """A greeting is a greeting, also for a team whose tickets hold none."""
    return (
        kind.label in IDLE_KINDS
        and kind.confidence >= SURE_ALONE
        and (learned is None or kind.label not in learned.labels)
    )


def next_best(kind: Scored) -> Scored:
    """The likeliest of the other kinds, with its own probability."""
    rest = {label: p for label, p in kind.probabilities.items() if label != kind.label}
    return replace(likeliest(rest), probabilities=kind.probabilities)

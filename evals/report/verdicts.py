"""What came of a case, in one word each: words that add up to all cases."""

from typing import Literal, get_args

from agent.wire import JsonObject

Verdict = Literal[
    "contained",
    "handed_rightly",
    "asked",
    "open",
    "handed_needlessly",
    "missed",
    "wrong",
    "unscored",
    "courtesy",
    "failed",
    "leaked",
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
WITH_REQUEST: tuple[Verdict, ...] = VERDICTS[:8]
MISTAKEN: frozenset[Verdict] = frozenset({"wrong", "missed", "handed_needlessly"})

Source = Literal["hand", "gold", "rule", "none"]
SOURCES: tuple[Source, ...] = get_args(Source)
_DECIDING = ("articles", "needs_person", "is_bug")


def verdict_of(score: JsonObject) -> Verdict:
    """What came of the case with these scores (`CaseScore` as JSON)."""
    if score["status"] == "failed":
        return "failed"
    if score["status"] == "leaked":
        return "leaked"
    if score["substantive"] is False:
        return "courtesy"
    contained, handed = score["contained"], score["handed"]
    if contained is None or handed is None:
        return "unscored"
    if handed["handed_over"]:
        if handed["needs_person"] is None:
            return "unscored"
        return "handed_rightly" if handed["needs_person"] else "handed_needlessly"
    if contained["verified"]:
        return "contained"
    if contained["wrong"]:
        return "wrong"
    if contained["verified"] is None or contained["wrong"] is None:
        return "unscored"
    if handed["needs_person"]:
        return "missed"
    return "asked" if contained["open_question"] else "open"


def label_source(label: JsonObject | None) -> Source:
    """Where the label comes from: the least sure source of what scores depend on most."""
    known = dict(label["known"]) if label else {}
    found = {known[name]["source"] for name in _DECIDING if name in known}
    return next((source for source in ("rule", "gold", "hand") if source in found), "none")

"""A case as the page shows it: a row of the list, and everything that is one click away."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from agent.wire import JsonObject
from evals.replay.case import Case, Turn
from evals.report.choosing import Limits, Survey
from evals.report.lines import side_by_side
from evals.report.verdicts import label_source, verdict_of

TEXT_CHARS = 4_000
EXCERPT_CHARS = 140
MAX_TURNS = 12
MAX_CLAIMS = 40
# What of a score only repeats the row, or the label.
_NOT_SHOWN = ("ticket_id", "run", "status", "customer", "category", "language", "first_turn")
_HEARD = ("kind", "kind_confidence", "category", "category_confidence", "sentiment", "wish_for_person", "risk")


@dataclass(frozen=True, slots=True)
class Shown:
    """The cases that are shown, in the run's order: a row each, and the JSON of what is behind it."""

    rows: tuple[JsonObject, ...]
    details: tuple[bytes, ...]


def read_shown(folder: Path, scored: Iterable[JsonObject], chosen: Survey, limits: Limits) -> Shown:
    """Read the chosen cases, as many as fit: the most important ones come first."""
    importance = {place: rank for rank, place in enumerate(chosen.places)}
    found: dict[int, tuple[JsonObject, bytes]] = {}
    for place, (line, one) in enumerate(side_by_side(folder, scored)):
        if place in importance:
            case = Case.model_validate_json(line)
            found[place] = row_of(case, one), embeddable(detail_of(case, one))
    size_bytes, kept = 0, []
    for place in chosen.places:
        row, detail = found[place]
        size_bytes += len(detail) + len(embeddable(row))
        if size_bytes > limits.size_bytes:
            break
        kept.append(place)
    kept.sort()
    return Shown(tuple(found[place][0] for place in kept), tuple(found[place][1] for place in kept))


def embeddable(value: object) -> bytes:
    """JSON that can stand in a script element: no tag can begin or end in it, and no line can break."""
    text = orjson.dumps(value)
    for plain, escaped in _ESCAPES:
        text = text.replace(plain, escaped)
    return text


_ESCAPES = tuple((character.encode(), f"\\u{ord(character):04x}".encode()) for character in "<>&\u2028\u2029")


def row_of(case: Case, one: JsonObject) -> JsonObject:
    """What the list shows of a case, and filters by."""
    score, handed = one["score"], one["score"]["handed"]
    first = case.turns[0].texts[0] if case.turns and case.turns[0].texts else ""
    return {
        "id": case.ticket_id,
        "run": case.run,
        "day": case.created_at[:10],
        "category": score["category"],
        "verdict": verdict_of(score),
        "language": case.language,
        "label": label_source(one["label"]),
        "ending": case.ending,
        "needed": handed["needed_for"] if handed and handed["needs_person"] else None,
        "handed": handed["handed_for"] if handed else None,
        # The confusion table counts only those of which it is known whether they needed a person.
        "known": bool(handed and handed["needs_person"] is not None),
        "cost": score["mistake_cost"]["value"] if score["mistake_cost"] else None,
        "says": _clipped(" ".join(first.split()), EXCERPT_CHARS),
    }


def detail_of(case: Case, one: JsonObject) -> JsonObject:
    """Everything else of a case."""
    return {
        "channel": case.channel,
        "page": case.page,
        "tier": case.account_tier,
        "why": case.why,
        "messages": [case.replayed_messages, case.customer_messages],
        "as_of": case.as_of,
        "failure": case.failure.model_dump() if case.failure else None,
        "turns": [_turn(turn) for turn in case.turns[:MAX_TURNS]],
        "turns_left_out": max(0, len(case.turns) - MAX_TURNS),
        "effects": [effect.model_dump(exclude_none=True) for effect in case.effects[:MAX_TURNS]],
        "score": {name: value for name, value in one["score"].items() if name not in _NOT_SHOWN and value is not None},
        "label": one["label"],
    }


def _turn(turn: Turn) -> JsonObject:
    articles = {cited.passage_id: cited.article_id for cited in turn.citations}
    articles |= {found.passage_id: found.article_id for found in turn.found}
    decision = turn.decision
    heard = decision.get("understanding") or {}
    return {
        "texts": [_clipped(text, TEXT_CHARS) for text in turn.texts[:MAX_TURNS]],
        "reply": _clipped(turn.reply, TEXT_CHARS),
        "human": None if turn.human_reply is None else _clipped(turn.human_reply, TEXT_CHARS),
        "outcome": turn.outcome,
        "route": turn.route,
        "path": turn.path,
        "evidence": turn.evidence,
        "heard": {name: heard[name] for name in _HEARD if name in heard},
        "reasons": decision.get("reasons", []),
        "costs": decision.get("expected_cost", {}),
        "handoff_reason": decision.get("handoff_reason"),
        "found": [[found.article_id, found.score] for found in sorted(turn.found, key=lambda found: found.rank)],
        "cited": [[cited.n, cited.article_id] for cited in turn.citations],
        "claims": [
            {
                "text": _clipped(claim.text, TEXT_CHARS),
                # A citation of what was neither found nor shown keeps its own name, so that one sees it.
                "cites": list(dict.fromkeys(articles.get(passage, passage) for passage in claim.cites)),
                "tool": claim.from_tool,
                "support": claim.support,
            }
            for claim in turn.claims[:MAX_CLAIMS]
        ],
        "held_back": turn.held_back,
        "broken_off": turn.broken_off,
        "tools": turn.tools,
        "agreement": turn.agreement,
        "same_article": turn.same_article,
        "solved": turn.solved,
        "engine": _engine(turn.engine),
    }


def _engine(engine: Mapping[str, object]) -> JsonObject | None:
    """What a model was asked; nothing for the local engine, which costs nothing."""
    if not engine.get("calls"):
        return None
    return {name: engine.get(name) for name in ("model", "calls", "input_tokens", "output_tokens", "cost", "fallbacks")}


def _clipped(text: str, most_chars: int) -> str:
    return text if len(text) <= most_chars else text[: most_chars - 1] + "…"

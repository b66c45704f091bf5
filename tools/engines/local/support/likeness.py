"""What speaks for and against a source saying what a sentence says, as numbers."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from tools.engines.local.support.aligning import Alignment, Placed, Source
from tools.engines.local.support.bonds import clause_bonds, joints, scopes, stolen, swapped_conjunction, transposed
from tools.engines.local.support.sequence import exchanges
from tools.engines.local.support.wording import Sort, Token, Worded, opposed

_MARKS = (
    "NOT", "ONLY", "UNLESS", "IF", "ALL", "ANY", "BEFORE", "AFTER", "FIRST", "THEN", "OR", "ALSO", "EVEN", "MUST",
    "MOST", "LEAST", "OVER", "BELOW",
)  # fmt: skip
_ANCHORS = (Sort.AMOUNT, Sort.NAME, Sort.ROLE)
# What seldom happens in a sentence that the source supports.
_ALARMS = {
    "amount_nowhere": 0, "name_nowhere": 0, "path_wrong": 0, "path_broken": 0, "+ALL": 0, "+UNLESS": 0, "gains_ALL": 0,
    "rival": 0.15, "scope_lost": 0, "home_flips": 0, "home_swaps": 0, "home_denied": 0.5, "order": 0.5, "opposites": 0,
    "drops_ONLY": 0, "drops_IF": 0, "stolen_role_any": 0, "+ALSO": 0, "homeless": 0, "amount_elsewhere": 0,
    "name_elsewhere": 0, "role_nowhere": 0, "role_elsewhere": 0, "substituted": 0, "added_at_end": 0, "gains_EVEN": 0,
}  # fmt: skip
# "Both contacts" may be "two contacts".
_SMALL = frozenset({"n2", "n3"})
# Which plan, which role: that counts more than the words between.
_ANCHORS_PULL = 2.5
_NEAR = 4
# A sentence of which this much is missing is about something else.
_HALF = 0.45
_MANY = 6


def features(said: Worded, source: Source, found: Alignment) -> dict[str, float]:
    """Compare a sentence with a source by words. Every value is small and most lie in [0, 1]."""
    values: dict[str, float] = {"words": min(len(said.content), 20) / 20}
    values |= _coverage(found, source)
    values |= _shape(found)
    values |= _anchors(found, source)
    values |= _paths(said, source)
    values |= _marks(said, found)
    values |= _polarity(said, found)
    values |= clause_bonds(said, found)
    values |= joints(found)
    values |= stolen(found)
    values |= scopes(said, source, found)
    values |= exchanges(said, source, found)
    values["transposed"] = transposed(found)
    values["conjunction"] = swapped_conjunction(said, source, found)
    values["order"] = _order(said, found)
    values["opposites"] = _opposites(found)
    alarms = sum(values[name] > least for name, least in _ALARMS.items())
    values["alarms"] = min(alarms, 5) / 5
    values["calm"] = float(alarms == 0)
    values["calm_whole"] = float(alarms == 0 and values["missing"] == 0)
    values["calm_short_of_one"] = float(alarms == 0 and values["missing"] > 0 and values["unknown"] <= 1 / _MANY)
    return values


def _coverage(found: Alignment, source: Source) -> dict[str, float]:
    total = max(len(found.said), 1)
    missing = [t for t, place in zip(found.said, found.to, strict=True) if place < 0]
    words = [t for t in missing if t.sort is Sort.WORD]
    unknown = [t for t in words if not t.forms & source.forms]
    exact = sum(p >= 0 and t.text == found.window[p].token.text for t, p in zip(found.said, found.to, strict=True))
    used = {place for place in found.to if place >= 0}
    clauses = {found.window[place].clause for place in used}
    around = [j for j, placed in enumerate(found.window) if placed.clause in clauses]
    return {
        "missing": len(missing) / total,
        "mostly_missing": max(len(missing) / total - _HALF, 0.0) / (1 - _HALF),
        "unknown": min(len(unknown), _MANY) / _MANY,
        "one_unknown": float(len(unknown) == 1),
        "elsewhere": min(len(words) - len(unknown), _MANY) / _MANY,
        "exact": exact / total,
        "left_over": 1 - len(used) / max(len(around), 1),
        "units": (found.last - found.first) / 2,
    }


def _shape(found: Alignment) -> dict[str, float]:
    """How far the words follow each other as they do in the source."""
    to, total = found.to, max(len(found.to), 1)
    follows = sum(a >= 0 and b == a + 1 for a, b in pairwise(to))
    run = longest = 0
    for a, b in zip((-2, *to), to, strict=False):
        run = run + 1 if b >= 0 and b == a + 1 else int(b >= 0)
        longest = max(longest, run)
    inserted = substituted = displaced = ends = 0
    for i, place in enumerate(to):
        before = to[i - 1] if i else -1
        after = to[i + 1] if i + 1 < len(to) else -1
        if place < 0:
            inserted += before >= 0 and after == before + 1
            substituted += before >= 0 and after == before + 2
            ends += i + 1 == len(to) and i > 1 and before >= 0 and to[i - 2] == before - 1
        elif before >= 0 and after >= 0:
            displaced += found.distance(place, before) > _NEAR and found.distance(place, after) > _NEAR
    backward = sum(a >= 0 and 0 <= b < a for a, b in pairwise(to))
    return {
        "follows": follows / total,
        "longest": longest / total,
        "inserted": min(inserted, 2) / 2,
        "substituted": min(substituted, 2) / 2,
        "added_at_end": float(ends),
        "displaced": min(displaced, 3) / 3,
        "backward": min(backward, 4) / 4,
    }


def _anchors(found: Alignment, source: Source) -> dict[str, float]:
    """Amounts, names and roles: are they there, and with the words that they are said with?"""
    values: dict[str, float] = {}
    loose: list[float] = []
    rivals: list[float] = []
    for sort in _ANCHORS:
        places = [(i, t) for i, t in enumerate(found.said) if t.sort is sort]
        absent = [t for i, t in places if found.to[i] < 0]
        nowhere = [t for t in absent if not t.forms & source.forms]
        name = sort.name.lower()
        values[f"{name}_nowhere"] = min(len(nowhere), 2) / 2
        values[f"{name}_elsewhere"] = min(len(absent) - len(nowhere), 2) / 2
        values[f"{name}_said"] = float(bool(places))
        worst = 0.0
        for i, token in places:
            if found.to[i] < 0:
                continue
            own, rival = _binding(found, i, token)
            loose.append(1 - own)
            rivals.append(max(rival - own, 0.0))
            worst = max(worst, rival - own)
        values[f"{name}_rival"] = worst
    values["amount_foreign"] = float(
        any(
            t.sort is Sort.AMOUNT and not t.forms & source.forms and not t.forms & _SMALL
            for t, place in zip(found.said, found.to, strict=True)
            if place < 0
        )
    )
    values["loose"] = max(loose, default=0.0)
    values["rival"] = max(rivals, default=0.0)
    values["rivals"] = min(sum(value > 0.05 for value in rivals), 3) / 3
    return values


def _binding(found: Alignment, i: int, token: Token) -> tuple[float, float]:
    """How near the words around token `i` are to it in the source, and to the nearest other anchor of its sort."""
    clause = token.clause
    around = [
        (n, _pull(found.said[n]) / (abs(n - i) + 2 * abs(found.said[n].clause - clause)))
        for n in range(len(found.said))
        if n != i and found.to[n] >= 0 and abs(n - i) <= 5 and found.said[n].sort is not Sort.MARK
    ]
    total = sum(weight for _, weight in around)
    if not total:
        return 1.0, 0.0

    def near(j: int) -> float:
        value = 0.0
        for n, weight in around:
            like = [o for o, p in enumerate(found.window) if o != j and p.token.forms & found.said[n].forms]
            least = min((found.distance(o, j) for o in like), default=99)
            value += weight * max(0.0, 1 - max(least - 1, 0) / 6)
        return value / total

    own = max(near(j) for j, p in enumerate(found.window) if p.token.forms & token.forms)
    others = (
        near(j) for j, p in enumerate(found.window) if p.token.sort is token.sort and not p.token.forms & token.forms
    )
    return own, max(others, default=0.0)


def _pull(token: Token) -> float:
    return _ANCHORS_PULL if token.sort in _ANCHORS else 1.0


def _paths(said: Worded, source: Source) -> dict[str, float]:
    known = [path for unit in source.read for path in unit.paths]
    names = {part for path in known for part in path}
    wrong = broken = 0
    for path in said.paths:
        wrong += sum(part not in names for part in path)
        broken += len(path) > 1 and not any(_within(path, other) for other in known)
    return {"path_wrong": float(wrong > 0), "path_broken": float(broken > 0), "path_said": float(bool(said.paths))}


def _within(path: Sequence[str], other: Sequence[str]) -> bool:
    return any(tuple(other[at : at + len(path)]) == tuple(path) for at in range(len(other) - len(path) + 1))


def _marks(said: Worded, found: Alignment) -> dict[str, float]:
    """Marks that only the sentence has, and marks that only the clauses it draws on have."""
    own = Counter(token.text for token in said.tokens if token.sort is Sort.MARK)
    units = {found.window[place].unit for place in found.to if place >= 0}
    there = Counter(mark.token.text for mark in found.marks if mark.unit in units)
    clauses = _clauses_used(found)
    close = Counter(mark.token.text for mark in found.marks if mark.clause in clauses)
    values: dict[str, float] = {}
    for mark in _MARKS:
        values[f"+{mark}"] = float(own[mark] > there[mark])
        values[f"-{mark}"] = float(close[mark] > own[mark])
    return values


def _clauses_used(found: Alignment) -> set[int]:
    counts = Counter(found.window[place].clause for place in set(found.to) if place >= 0)
    sizes = Counter(placed.clause for placed in found.window)
    return {clause for clause, count in counts.items() if count * 2 >= sizes[clause]}


def _polarity(said: Worded, found: Alignment) -> dict[str, float]:
    """Clauses of the sentence that are denied while the clause they come from isn't, or the other way round."""
    own = Counter(token.clause for token in said.tokens if token.text == "NOT" and token.sort is Sort.MARK)
    there = Counter(mark.clause for mark in found.marks if mark.token.text == "NOT")
    votes: dict[int, list[int]] = {}
    for token, place in zip(found.said, found.to, strict=True):
        if place >= 0:
            flipped = (own[token.clause] + there[found.window[place].clause]) % 2
            votes.setdefault(token.clause, []).append(flipped)
    against = sum(sum(vote) * 2 > len(vote) for vote in votes.values())
    share = sum(sum(vote) for vote in votes.values()) / max(sum(len(vote) for vote in votes.values()), 1)
    return {
        "denied": float(against > 0),
        "denied_share": share,
        "not_parity": float(sum(own.values()) % 2 != sum(there[c] for c in _clauses_used(found)) % 2),
    }


def _opposites(found: Alignment) -> float:
    """Words without a like whose opposite stands, without a like too, in the window."""
    used = set(found.to)
    free = [p.token for j, p in enumerate(found.window) if j not in used]
    count = sum(any(opposed(token, other) for other in free) for t, token in enumerate(found.said) if found.to[t] < 0)
    return min(count, 2) / 2


def _order(said: Worded, found: Alignment) -> float:
    """1 when the sentence puts in another order what the source puts in an order, -1 when in the same, else 0."""
    pairs = _sequence(said.tokens)
    if not pairs or not found.window:
        return 0.0
    ranks = _ranks(found)
    place_of = {id(token): place for token, place in zip(found.said, found.to, strict=True)}
    verdict = 0.0
    for earlier, later in pairs:
        one = [ranks[place_of[id(t)]] for t in earlier if place_of.get(id(t), -1) >= 0]
        two = [ranks[place_of[id(t)]] for t in later if place_of.get(id(t), -1) >= 0]
        if one and two:
            gap = sum(two) / len(two) - sum(one) / len(one)
            verdict += (gap < -0.5) - (gap > 0.5)
    return max(-1.0, min(1.0, verdict))


def _ranks(found: Alignment) -> list[float]:
    """When in the source each place of the window happens: in reading order, unless it says before or after."""
    ranks = [float(placed.unit * 10 + placed.clause) for placed in found.window]
    for unit in {placed.unit for placed in found.window}:
        tokens: list[Placed] = [p for p in (*found.window, *found.marks) if p.unit == unit]
        order = sorted(tokens, key=lambda p: p.at)
        pairs = _sequence(tuple(p.token for p in order))
        for earlier, later in pairs:
            late = {id(token) for token in later}
            early = {id(token) for token in earlier}
            for j, placed in enumerate(found.window):
                if id(placed.token) in late:
                    ranks[j] = unit * 10 + 9.0
                elif id(placed.token) in early:
                    ranks[j] = unit * 10 + 0.0
    return ranks


def _sequence(tokens: Sequence[Token]) -> list[tuple[list[Token], list[Token]]]:
    """What happens earlier and what later, for each word of order in the text."""
    pairs: list[tuple[list[Token], list[Token]]] = []
    for at, token in enumerate(tokens):
        if token.sort is not Sort.MARK or token.text not in ("BEFORE", "AFTER", "THEN", "FIRST"):
            continue
        behind = [t for t in tokens[at + 1 :] if t.sort is not Sort.MARK]
        ahead = [t for t in tokens[:at] if t.sort is not Sort.MARK]
        if token.text == "THEN":
            # "Remove the code afterwards": what it is about stands before it, in its own clause or the last.
            own = [t for t in (*ahead, *behind) if t.clause == token.clause]
            own = own or [t for t in ahead if t.clause == max((a.clause for a in ahead), default=0)]
            pairs.append(([t for t in ahead if t.clause < own[0].clause] if own else [], own))
        elif token.text == "FIRST":
            own = [t for t in (*ahead, *behind) if t.clause == token.clause]
            rest = [t for t in behind if t.clause > token.clause]
            pairs.append((own, rest))
        else:
            here = [t for t in behind if t.clause <= token.clause] if not ahead else behind
            rest = ahead or [t for t in behind if t.clause > token.clause]
            pairs.append((rest, here) if token.text == "BEFORE" else (here, rest))
    return [(earlier, later) for earlier, later in pairs if earlier and later]

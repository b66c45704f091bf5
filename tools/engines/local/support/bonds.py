"""Whether the words that a sentence puts together stand together in the source."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

from tools.engines.local.support.aligning import Alignment, Placed, Source
from tools.engines.local.support.wording import Sort, Token, Worded, opposed

_ANCHORS = (Sort.AMOUNT, Sort.NAME, Sort.ROLE)
_SWAPS = {("IF", "UNLESS"), ("BEFORE", "AFTER"), ("MOST", "LEAST"), ("OVER", "BELOW"), ("OVER", "MOST")}


@dataclass(frozen=True, slots=True)
class Pair:
    """A clause of the sentence and the clause of the source that has most of it. `share` is how much, in [0, 1]."""

    said: int
    home: int
    own: tuple[Token, ...]
    there: tuple[Placed, ...]
    share: float


def pairs_of(said: Worded, found: Alignment) -> list[Pair]:
    """Each clause of the sentence that names something, with its home in the source."""
    clauses: dict[int, list[int]] = {}
    for i, token in enumerate(found.said):
        clauses.setdefault(token.clause, []).append(i)
    there: dict[int, list[Placed]] = {}
    for placed in (*found.window, *found.marks):
        there.setdefault(placed.clause, []).append(placed)
    pairs: list[Pair] = []
    for clause, members in clauses.items():
        best, best_value = -1, 0.0
        for home, standing in there.items():
            forms = frozenset(form for p in standing if p.token.sort is not Sort.MARK for form in p.token.forms)
            roots = frozenset(p.token.text for p in standing)
            value = sum(
                (1.0 if found.said[i].text in roots else 0.7) * (1.2 if _in(found, i, home) else 1.0)
                for i in members
                if found.said[i].forms & forms
            )
            value -= 0.01 * len(standing)
            if value > best_value:
                best, best_value = home, value
        if best < 0:
            continue
        own = tuple(token for token in said.tokens if token.clause == clause)
        content = [found.said[i] for i in members]
        forms = frozenset(f for p in there[best] if p.token.sort is not Sort.MARK for f in p.token.forms)
        share = sum(bool(token.forms & forms) for token in content) / len(content)
        pairs.append(Pair(clause, best, own, tuple(there[best]), share))
    return pairs


def _in(found: Alignment, i: int, home: int) -> bool:
    return found.to[i] >= 0 and found.window[found.to[i]].clause == home


def clause_bonds(said: Worded, found: Alignment) -> dict[str, float]:
    """What differs between each clause and its home: strangers, words traded between clauses, marks, denial."""
    pairs = pairs_of(said, found)
    homes = {pair.home for pair in pairs}
    strangers = traded = anchors_traded = 0
    denied = flips = swaps = 0.0
    gained: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    for pair in pairs:
        forms = frozenset(f for p in pair.there if p.token.sort is not Sort.MARK for f in p.token.forms)
        for token in pair.own:
            if token.sort is Sort.MARK or token.forms & forms:
                continue
            elsewhere = {p.clause for p in found.window if p.token.forms & token.forms}
            strangers += bool(elsewhere)
            moved = bool(elsewhere & homes - {pair.home})
            traded += moved
            anchors_traded += moved and token.sort in _ANCHORS
        own = Counter(token.text for token in pair.own if token.sort is Sort.MARK)
        there = Counter(p.token.text for p in pair.there if p.token.sort is Sort.MARK)
        opposites = _opposites(pair)
        flips += opposites
        odd = (own["NOT"] + own["UNLESS"] + there["NOT"] + there["UNLESS"] + opposites) % 2
        if odd:
            denied = max(denied, pair.share)
        swaps += any((own[a] and there[b] and not own[b]) or (own[b] and there[a] and not own[a]) for a, b in _SWAPS)
        gained += own - there
        dropped += there - own
    total = max(len(found.said), 1)
    homeless = len({t.clause for t in found.said}) - len(pairs)
    return {
        "strangers": strangers / total,
        "traded": min(traded, 4) / 4,
        "anchors_traded": min(anchors_traded, 2) / 2,
        "home_denied": denied,
        "home_flips": min(flips, 2) / 2,
        "home_swaps": min(swaps, 2) / 2,
        "home_share": sum(pair.share for pair in pairs) / max(len(pairs), 1),
        "home_worst": min((pair.share for pair in pairs), default=0.0),
        "homeless": min(homeless, 3) / 3,
        "clauses": min(len(pairs), 5) / 5,
        **{
            f"gains_{m}": float(gained[m] > 0)
            for m in ("NOT", "ONLY", "UNLESS", "IF", "ALL", "ANY", "OR", "MUST", "EVEN")
        },
        **{f"drops_{m}": float(dropped[m] > 0) for m in ("NOT", "ONLY", "UNLESS", "IF", "ALL", "OR", "MUST")},
    }


def _opposites(pair: Pair) -> int:
    """Words of the clause without a like whose opposite stands in its home without a like."""
    there = [p.token for p in pair.there if p.token.sort is not Sort.MARK]
    own = [token for token in pair.own if token.sort is not Sort.MARK]
    free = [t for t in there if not any(t.forms & o.forms for o in own)]
    alone = [t for t in own if not any(t.forms & o.forms for o in there)]
    return sum(any(opposed(token, other) for other in free) for token in alone)


def joints(found: Alignment) -> dict[str, float]:
    """How the sentence's order jumps about in the source: from clause to clause, or in the middle of one."""
    bad = half = clean = turned = 0
    ends = {placed.clause: j for j, placed in enumerate(found.window)}
    starts = {placed.clause: j for j, placed in reversed(list(enumerate(found.window)))}
    steps = 0
    for one, other, i, k in _steps(found):
        steps += 1
        if 0 <= other - one <= 2:
            continue
        here, there = found.window[one].clause, found.window[other].clause
        if here == there and other < one and found.said[i].clause == found.said[k].clause:
            turned += 1
        if found.said[i].clause != found.said[k].clause:
            clean += 1
        elif ends[here] == one or starts[there] == other or found.window[one].unit != found.window[other].unit:
            # From sentence to sentence: a pronoun was replaced by what it stands for.
            half += 1
        else:
            bad += 1
    total = max(steps, 1)
    return {
        "bad_joints": bad / total,
        "bad_joint": float(bad > 0),
        "half_joints": half / total,
        "clean_joints": clean / total,
        "turned": min(turned, 2) / 2,
    }


def _steps(found: Alignment) -> Iterator[tuple[int, int, int, int]]:
    """From each aligned word to the next: both places in the source, both places in the sentence."""
    before = -1
    for i, place in enumerate(found.to):
        if place < 0:
            continue
        if before >= 0:
            yield found.to[before], place, before, i
        before = i


def swapped_conjunction(said: Worded, source: Source, found: Alignment) -> float:
    """Whether "and" stands where the source has "or" between the same two words, or the other way round."""
    return float(
        bool(
            _joined(said.tokens, "AND") & _all(source, found, "OR")
            or _joined(said.tokens, "OR") & _all(source, found, "AND")
        )
    )


def _all(source: Source, found: Alignment, mark: str) -> set[tuple[str, str]]:
    units = source.read[found.first : found.last + 1]
    return set().union(*(_joined(unit.tokens, mark) for unit in units)) if units else set()


def _joined(tokens: tuple[Token, ...], mark: str) -> set[tuple[str, str]]:
    found = set()
    for at, token in enumerate(tokens):
        if token.sort is Sort.MARK and token.text == mark:
            before = next((min(t.forms) for t in reversed(tokens[:at]) if t.sort is not Sort.MARK), "")
            after = next((min(t.forms) for t in tokens[at + 1 :] if t.sort is not Sort.MARK), "")
            found.add((before, after))
    return found


def transposed(found: Alignment) -> float:
    """How much better the order would be if two words of the sentence changed places: 1 is a clear swap.

    The parts of a list may stand in any order.
    """
    to = list(found.to)
    own = _listed([token.clause for token in found.said])
    there = _listed([placed.clause for placed in found.window])
    listed = [own[i] or (place >= 0 and there[place]) for i, place in enumerate(to)]
    placed = [i for i, place in enumerate(to) if place >= 0]
    base, best = _following(to), 0
    for one, other in combinations(placed, 2):
        if to[one] == to[other] or (listed[one] and listed[other]):
            continue
        to[one], to[other] = to[other], to[one]
        best = max(best, _following(to) - base)
        to[one], to[other] = to[other], to[one]
    return min(max(best - 1, 0), 3) / 3


def _listed(clauses: list[int]) -> list[bool]:
    """For each word by its clause: whether it is a part of a list, so alone in its clause or last before such a one."""
    sizes = Counter(clauses)
    last = len(clauses) - 1
    return [
        sizes[clause] == 1 or (i < last and clauses[i + 1] != clause and sizes[clauses[i + 1]] == 1)
        for i, clause in enumerate(clauses)
    ]


def _following(to: list[int]) -> int:
    return sum(a >= 0 and b == a + 1 for a, b in pairwise(to))


def stolen(found: Alignment) -> dict[str, float]:
    """Words that are nearest to one role, name or amount in the sentence, and to another one in the source."""
    values: dict[str, float] = {}
    for sort in _ANCHORS:
        own = [i for i, token in enumerate(found.said) if token.sort is sort]
        there = [j for j, placed in enumerate(found.window) if placed.token.sort is sort]
        known = frozenset(form for j in there for form in found.window[j].token.forms)
        taken, judged = 0, 0
        for i, place in enumerate(found.to):
            if place < 0 or i in own or not own or not there:
                continue
            claimed = min(own, key=lambda o: abs(o - i) + 2 * abs(found.said[o].clause - found.said[i].clause))
            if not found.said[claimed].forms & known:
                continue
            judged += 1
            least = min(_steps_to(found, i, j) for j in there)
            close = [j for j in there if _steps_to(found, i, j) <= least + 2]
            taken += not any(found.window[j].token.forms & found.said[claimed].forms for j in close)
        name = sort.name.lower()
        values[f"stolen_{name}"] = taken / max(judged, 1)
        values[f"stolen_{name}_any"] = float(taken > 0)
    return values


def _steps_to(found: Alignment, i: int, j: int) -> int:
    """From any like of word `i` to place `j`."""
    likes = (o for o, p in enumerate(found.window) if p.token.forms & found.said[i].forms)
    return min((found.distance(o, j) for o in likes), default=99)


def scopes(said: Worded, source: Source, found: Alignment) -> dict[str, float]:
    """Words that are denied in the sentence alone, and words that are denied in the source alone."""
    own = _denied(said.tokens)
    there = frozenset(
        form
        for unit in source.read[found.first : found.last + 1]
        for token in _denied(unit.tokens)
        for form in token.forms
    )
    plain = frozenset(
        form
        for unit in source.read[found.first : found.last + 1]
        for token in unit.content
        if token not in _denied(unit.tokens)
        for form in token.forms
    )
    gained = sum(bool(token.forms & plain) and not token.forms & there for token in own)
    lost = sum(bool(t.forms & there) and not t.forms & plain for t in said.content if t not in own)
    alike = sum(bool(token.forms & there) for token in own)
    return {"scope_gained": min(gained, 2) / 2, "scope_lost": min(lost, 2) / 2, "scope_alike": min(alike, 2) / 2}


def _denied(tokens: tuple[Token, ...]) -> list[Token]:
    """The word behind each "not", or before it where nothing follows in the clause."""
    denied = []
    for at, token in enumerate(tokens):
        if token.sort is Sort.MARK and token.text == "NOT":
            behind = [t for t in tokens[at + 1 :] if t.clause == token.clause and t.sort is not Sort.MARK]
            ahead = [t for t in tokens[:at] if t.clause == token.clause and t.sort is not Sort.MARK]
            denied += behind[:1] or ahead[-1:]
    return denied

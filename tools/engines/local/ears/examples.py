"""The shipped examples."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from tools.engines.local.shipped import as_text, read_data

Examples = Mapping[str, Sequence[str]]
"""Texts by label."""

Shipped = Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]
"""Texts by set, label and language."""

SETS = ("kind", "wish", "risk", "sentiment", "feedback", "follow_up", "lookup", "courtesy")

# Examples of a kind say something about the other questions as well: somebody who asks how to do a thing doesn't ask
# for a person, is in no danger, is calm, and says nothing of an answer before.
_SHARED: dict[str, tuple[str, tuple[str, ...]]] = {
    "wish": ("no", ("how_to", "bug", "feature_request", "account_billing", "complaint", "small_talk", "abuse")),
    "risk": ("no", ("how_to", "bug", "feature_request", "small_talk", "wants_person")),
    "sentiment": ("0", ("how_to", "feature_request", "account_billing")),
    "feedback": ("other", ("how_to", "feature_request", "account_billing")),
    "lookup": ("none", ("how_to", "bug", "feature_request", "complaint", "wants_person", "small_talk", "abuse")),
}


@cache
def load_examples() -> Shipped:
    """Read every shipped set, once a process: texts by set, label and language.

    Raises:
        Misconfigured: the installation is damaged.
    """
    return {name: _load(name) for name in SETS}


def training_sets(shipped: Shipped, in_english: Callable[[str, str], str]) -> dict[str, Examples]:
    """The shipped sets by label, each with the kinds' examples under the label that they imply.

    `in_english` turns a text and its language into what the classifiers will see.
    """
    flat = {
        name: {
            label: [in_english(text, language) for language, group in groups.items() for text in group]
            for label, groups in data.items()
        }
        for name, data in shipped.items()
    }
    sets: dict[str, Examples] = dict(flat)
    for name, (label, kinds) in _SHARED.items():
        taken = {text for group in flat[name].values() for text in group}
        more = [text for kind in kinds for text in flat["kind"][kind] if text not in taken]
        sets[name] = {**flat[name], label: [*flat[name][label], *dict.fromkeys(more)]}
    return sets


def distinct_texts(sets: Mapping[str, Examples]) -> list[str]:
    """Every text of the sets, once, in order."""
    return sorted({text for examples in sets.values() for group in examples.values() for text in group})


def by_language(shipped: Shipped) -> dict[str, list[str]]:
    """Every distinct shipped text by its language, to tell the languages of short messages apart."""
    texts: dict[str, dict[str, None]] = {}
    for data in shipped.values():
        for groups in data.values():
            for language, group in groups.items():
                texts.setdefault(language, {}).update(dict.fromkeys(group))
    return {language: list(group) for language, group in sorted(texts.items())}


def _load(name: str) -> dict[str, dict[str, list[str]]]:
    return {
        as_text(label): {as_text(language): [as_text(item) for item in group] for language, group in groups.items()}
        for label, groups in read_data(name).items()
    }

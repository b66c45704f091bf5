"""One word for each case, and all words together are all cases."""

from collections import Counter
from pathlib import Path

import pytest

from evals.report.lines import scored_lines
from evals.report.verdicts import WITH_REQUEST, label_source, verdict_of
from tests.evals.report.making import make_run, some_pairs

EXPECTED = {
    "T-right": "contained",
    "T-wrong": "wrong",
    "T-handed": "handed_rightly",
    "T-needless": "handed_needlessly",
    "T-missed": "wrong",
    "T-waits": "missed",
    "T-open": "asked",
    "T-unsupported": "open",
    "T-bug": "contained",
    "T-unknown": "unscored",
    "T-thanks": "courtesy",
    "T-failed": "failed",
    "T-leaked": "leaked",
}


def test_each_case_has_its_word(tmp_path: Path) -> None:
    make_run(tmp_path, some_pairs())

    assert {one["ticket_id"]: verdict_of(one["score"]) for one in scored_lines(tmp_path)} == EXPECTED


def test_the_words_add_up_to_the_summary(tmp_path: Path) -> None:
    summary = make_run(tmp_path, some_pairs()).summary
    found = Counter(verdict_of(one["score"]) for one in scored_lines(tmp_path))
    of = summary.metrics

    assert found.total() == summary.counts.cases
    assert sum(found[verdict] for verdict in WITH_REQUEST) == summary.counts.with_request + summary.counts.unknown
    assert found["contained"] == round((of["containment"].value or 0) * of["containment"].n)
    assert found["wrong"] == round((of["wrong_containment"].value or 0) * of["wrong_containment"].n)
    assert found["asked"] + found["missed"] == round((of["open_question"].value or 0) * of["open_question"].n)
    assert found["handed_rightly"] == summary.escalation.needed_and_handed
    assert found["handed_needlessly"] == summary.escalation.not_needed_and_handed


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ({"articles": "hand", "needs_person": "rule"}, "rule"),
        ({"articles": "gold", "needs_person": "hand"}, "gold"),
        ({"articles": "hand"}, "hand"),
        ({"queue": "rule"}, "none"),
    ],
)
def test_a_label_is_as_sure_as_its_least_sure_part(sources: dict[str, str], expected: str) -> None:
    known = [[name, {"source": source, "rule": "r", "confidence": 1.0}] for name, source in sources.items()]

    assert label_source({"known": known}) == expected


def test_no_label_is_no_source() -> None:
    assert label_source(None) == "none"

"""Which replayed tickets report the same bug, however many there are."""

import numpy as np

from evals.replay.bugs import BugGroups


def test_each_of_many_bugs_is_found_again_and_only_that_one() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(150, 384)).astype("<f4")
    vectors = [(row / np.linalg.norm(row)).tobytes().hex() for row in rows]
    groups = BugGroups(same_bug=0.62)

    first = [groups.place(f"bug {number}", vector) for number, vector in enumerate(vectors)]
    again = [groups.place(f"again {number}", vector) for number, vector in enumerate(vectors)]

    assert [each.bug_id for each in first] == [f"BUG-{number}" for number in range(1, 151)]
    assert all(each.is_new for each in first)
    assert [(each.bug_id, each.is_new) for each in again] == [(each.bug_id, False) for each in first]


def test_a_run_that_goes_on_knows_the_bugs_before() -> None:
    before, after = BugGroups(same_bug=0.62), BugGroups(same_bug=0.62)
    reported = [before.place(text, None) for text in ("export of the timesheet is empty", "board freezes in Safari")]
    for each in reported:
        after.known(each)

    assert after.place("the export of the timesheet is empty", None).bug_id == reported[0].bug_id
    assert after.place("invite button does nothing", None).bug_id == "BUG-3"

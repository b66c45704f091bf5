"""Numbers and their intervals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.statistics.measured import bootstrap, expected_calibration_error, mean, risk_coverage, wilson


# Each draws thousands of resamples.
@settings(max_examples=25)
@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_the_interval_holds_the_value_and_is_the_same_each_time(values: list[bool]) -> None:
    measured = mean([float(value) for value in values])

    assert 0 <= measured.low <= measured.value <= measured.high <= 1
    assert measured == mean([float(value) for value in values])


def test_more_cases_give_a_narrower_interval() -> None:
    few, many = mean([0.0, 1.0] * 10), mean([0.0, 1.0] * 500)

    assert many.high - many.low < (few.high - few.low) / 3


def test_cases_that_belong_together_are_drawn_together() -> None:
    values = [0.0] * 50 + [1.0] * 50
    alone, together = mean(values), mean(values, groups=[place // 25 for place in range(100)])

    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(ValueError, match="no case"):
        bootstrap(0, lambda drawn: 1.0)
    with pytest.raises(ValueError, match="no case"):
        wilson(0, 0)


def test_a_rate_of_none_or_all_has_an_interval_too() -> None:
    none, most = wilson(0, 88), wilson(81, 90)

    assert (none.value, none.low, round(none.high, 3)) == (0.0, 0.0, 0.042)
    assert [round(value, 3) for value in (most.value, most.low, most.high)] == [0.9, 0.821, 0.946]
    assert wilson(88, 88).high == 1.0


def test_calibration_error_by_hand() -> None:
    promised = np.array([0.05, 0.05, 0.95, 0.95])

    assert expected_calibration_error(promised, np.array([False, False, True, True])) == pytest.approx(0.05)
    assert expected_calibration_error(promised, np.array([True, True, False, False])) == pytest.approx(0.95)


def test_answering_less_never_covers_more() -> None:
    random = np.random.default_rng(1)
    promised = random.random(200)
    points = risk_coverage(promised, random.random(200) < promised)

    coverage = [point[1] for point in points]
    assert coverage == sorted(coverage, reverse=True)
    assert points[0][1] == 1.0
    assert points[0][2] > points[-1][2]

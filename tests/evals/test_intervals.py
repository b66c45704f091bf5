"""Intervals hold what they promise: 95 % of them contain the truth, on agents whose true rates are known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from evals.statistics.clustered import clustered_mean, clustered_rate, clustered_ratio, group, resampled
from evals.statistics.corrected import (
    JudgeErrors,
    all_of,
    benjamini_hochberg,
    rogan_gladen,
    shrunk,
    standardised,
    zero_events,
)
from evals.statistics.measured import Measured, wilson
from evals.statistics.paired import holm, mcnemar, paired_difference, standing, swapped

DRAWS = 1000


def covered(held: list[bool]) -> bool:
    """Whether 93 to 97 % of the intervals held the truth."""
    return 0.93 <= float(np.mean(held)) <= 0.97


@pytest.mark.parametrize(("rate", "cases"), [(0.55, 430), (0.9, 200), (0.03, 430), (0.95, 120)])
def test_wilson_covers(rate: float, cases: int) -> None:
    hits = np.random.default_rng(11).binomial(cases, rate, DRAWS)
    found = [wilson(int(hit), cases) for hit in hits]

    assert covered([each.low <= rate <= each.high for each in found])


def tickets_of_customers(random: np.random.Generator, rate: float, customers: int) -> tuple[np.ndarray, np.ndarray]:
    """Tickets of customers who write 1 to 5 each, and are contained more often or less: the mean is `rate`."""
    sizes = random.integers(1, 6, customers)
    own = random.beta(rate * 4, (1 - rate) * 4, customers)
    keys = np.repeat(np.arange(customers), sizes)
    return (random.random(len(keys)) < own[keys]).astype(np.float64), keys


@pytest.mark.parametrize(("rate", "customers"), [(0.6, 150), (0.15, 200), (0.9, 120)])
def test_the_rate_of_customers_tickets_covers(rate: float, customers: int) -> None:
    random = np.random.default_rng(12)
    found = [clustered_rate(*tickets_of_customers(random, rate, customers)) for _ in range(DRAWS)]

    assert covered([each.low <= rate <= each.high for each in found])


def test_an_interval_that_ignores_customers_does_not_cover() -> None:
    random = np.random.default_rng(12)
    drawn = [tickets_of_customers(random, 0.6, 150)[0] for _ in range(DRAWS)]
    found = [wilson(int(hits.sum()), len(hits)) for hits in drawn]

    assert np.mean([each.low <= 0.6 <= each.high for each in found]) < 0.9


def test_the_bootstrap_over_customers_covers() -> None:
    random = np.random.default_rng(13)
    held = []
    for seed in range(DRAWS):
        hits, keys = tickets_of_customers(random, 0.6, 150)
        costs = np.where(hits == 1, 0.0, 3.0)
        found = clustered_mean(costs, keys, resamples=400, seed=seed)
        held.append(found.low <= 3 * 0.4 <= found.high)

    assert covered(held)


@pytest.mark.parametrize(("rate", "sensitivity", "specificity"), [(0.6, 0.9, 0.8), (0.2, 0.85, 0.9), (0.85, 0.8, 0.7)])
def test_the_corrected_rate_of_a_judge_covers_and_the_raw_one_does_not(
    rate: float, sensitivity: float, specificity: float
) -> None:
    random = np.random.default_rng(14)
    cases, labelled = 400, 120
    called = random.binomial(cases, rate * sensitivity + (1 - rate) * (1 - specificity), DRAWS)
    true_found, false_found = (
        random.binomial(labelled, sensitivity, DRAWS),
        random.binomial(labelled, specificity, DRAWS),
    )
    errors = [JudgeErrors(int(t), labelled, int(f), labelled) for t, f in zip(true_found, false_found, strict=True)]
    found = [rogan_gladen(int(hits), cases, each) for hits, each in zip(called, errors, strict=True)]
    raw = [wilson(int(hits), cases) for hits in called]

    assert covered([each.low <= rate <= each.high for each in found])
    assert np.mean([each.value for each in found]) == pytest.approx(rate, abs=0.01)
    assert np.mean([each.low <= rate <= each.high for each in raw]) < 0.93


def test_paired_differences_cover_and_find_nothing_where_nothing_is() -> None:
    random = np.random.default_rng(15)
    held, seen = [], []
    for seed in range(DRAWS):
        hardness = random.random(200)
        one = random.random(200) < hardness
        two = random.random(200) < np.clip(hardness + 0.1 * (hardness < 0.9), 0, 1)
        truth = 0.1 * 0.9
        found = paired_difference(two.astype(float) - one, np.arange(200), resamples=200, seed=seed)
        held.append(found.low <= truth <= found.high)
        three = random.random(200) < hardness
        seen.append(paired_difference(three.astype(float) - one, np.arange(200), resamples=50).p_value < 0.05)

    assert covered(held)
    assert np.mean(seen) <= 0.05


def test_swapping_whole_customers_finds_nothing_where_nothing_is() -> None:
    random = np.random.default_rng(16)
    seen = []
    for seed in range(DRAWS):
        # What differs differs for a customer as a whole.
        keys = np.repeat(np.arange(40), 5)
        differences = np.repeat(random.integers(-1, 2, 40), 5).astype(float)
        seen.append(swapped(group(differences, keys).sums[:, 0], draws=400, seed=seed) < 0.05)

    assert 0.02 <= np.mean(seen) <= 0.065


def test_pairs_that_never_differ_tell_little_when_they_are_few() -> None:
    few, many = (paired_difference(np.zeros(n), np.arange(n)) for n in (10, 1000))

    assert (few.value, few.p_value) == (0, 1)
    assert few.low < -0.1
    assert -0.01 < many.low < 0
    assert standing(few, 0.03) == "unclear"
    assert standing(many, 0.03) == "not_worse"


def test_standing_needs_a_significant_drop_to_be_worse() -> None:
    drop, slight = np.array([-1.0] * 40 + [0.0] * 160), np.array([-1.0] * 4 + [0.0] * 196)

    assert standing(paired_difference(drop, np.arange(200)), 0.03) == "worse"
    assert standing(paired_difference(slight, np.arange(200)), 0.03) == "unclear"
    assert standing(paired_difference(slight, np.arange(200)), 0.08) == "not_worse"
    with pytest.raises(ValueError, match="margin"):
        standing(paired_difference(drop, np.arange(200)), 0.0)


def test_a_difference_of_the_detectable_size_is_seen_four_times_in_five() -> None:
    random = np.random.default_rng(17)
    detectable, seen = [], []
    for _ in range(DRAWS):
        # One ticket in five differs between the versions, two thirds of those for the better: 0.2 * 1/3.
        differences = random.choice([0.0, 1.0, -1.0], 430, p=[0.8, 0.2 * 2 / 3, 0.2 / 3])
        found = paired_difference(differences, np.arange(430), resamples=20)
        detectable.append(found.detectable)
        seen.append(found.p_value < 0.05)

    # The power at 0.067, where the smallest difference seen at 80 % is a little less.
    assert np.mean(detectable) == pytest.approx(0.06, abs=0.004)
    assert 0.78 <= np.mean(seen) <= 0.92


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_exact_binomial_test(gained: int, lost: int) -> None:
    expected = scipy_stats.binomtest(gained, gained + lost, 0.5).pvalue if gained + lost else 1.0

    assert mcnemar(gained, lost) == pytest.approx(expected)
    assert mcnemar(gained, lost) == mcnemar(lost, gained)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_many_p_values_are_raised_as_by_the_book(p_values: list[float]) -> None:
    by_rate, by_family = benjamini_hochberg(p_values), holm(p_values)

    assert by_rate == pytest.approx(list(scipy_stats.false_discovery_control(p_values, method="bh")))
    for p_value, lower, higher in zip(p_values, by_rate, by_family, strict=True):
        assert p_value - 1e-12 <= lower <= higher + 1e-12
    assert min(by_family) == pytest.approx(min(1.0, min(p_values) * len(p_values)))
    assert max(by_family) <= 1


def test_no_event_seen_is_about_three_over_n() -> None:
    assert zero_events(300) == pytest.approx(3 / 300, rel=0.01)
    assert 1 - (1 - zero_events(50)) ** 50 == pytest.approx(0.95)
    with pytest.raises(ValueError, match="no case"):
        zero_events(0)


@given(st.integers(1, 12), st.data())
def test_all_of_k_tries_is_the_share_of_choices_that_all_passed(tries: int, data: st.DataObject) -> None:
    passed, k = data.draw(st.integers(0, tries)), data.draw(st.integers(1, tries))

    assert all_of(passed, tries, 1) == passed / tries
    assert all_of(passed, tries, k) == pytest.approx(
        scipy_stats.hypergeom(tries, passed, k).pmf(k) if passed >= k else 0.0
    )


def test_all_of_k_tries_is_unbiased_and_needs_k_tries() -> None:
    passed = np.random.default_rng(18).binomial(5, 0.8, 4000)

    assert np.mean([all_of(int(p), 5, 3) for p in passed]) == pytest.approx(0.8**3, abs=0.01)
    with pytest.raises(ValueError, match="tries"):
        all_of(1, 2, 3)


def test_a_judge_like_a_coin_says_nothing() -> None:
    with pytest.raises(ValueError, match="coin"):
        rogan_gladen(10, 20, JudgeErrors(50, 100, 50, 100))
    with pytest.raises(ValueError, match="no case"):
        rogan_gladen(10, 20, JudgeErrors(0, 0, 50, 100))
    with pytest.raises(ValueError, match="no case"):
        rogan_gladen(0, 0, JudgeErrors(50, 100, 50, 100))


@given(st.integers(0, 50), st.integers(30, 50), st.integers(30, 50))
def test_the_less_is_known_of_a_judge_the_wider_the_interval(called: int, true_found: int, false_found: int) -> None:
    little = rogan_gladen(called, 50, JudgeErrors(true_found, 50, false_found, 50))
    much = rogan_gladen(called, 50, JudgeErrors(true_found * 100, 5000, false_found * 100, 5000))

    assert 0 <= little.low <= little.value <= little.high <= 1
    assert much.value == pytest.approx(little.value)
    inside = little.low > 0 and little.high < 1
    assert not inside or much.high - much.low < little.high - little.low


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=50))
def test_a_clustered_rate_holds_its_value(cases: list[tuple[int, bool]]) -> None:
    hits = np.array([float(hit) for _, hit in cases])
    keys = [key for key, _ in cases]

    found = clustered_rate(hits, keys)

    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.value == pytest.approx(hits.mean())
    alone = clustered_rate(hits, list(range(len(hits))))
    assert alone == wilson(int(hits.sum()), len(hits))


def test_one_customer_says_nothing_of_the_others() -> None:
    assert clustered_rate(np.ones(50), [1] * 50) == Measured(1.0, 0.0, 1.0, 50)


def test_no_hit_in_few_customers_is_worth_no_more_than_the_customers() -> None:
    assert clustered_rate(np.zeros(50), [n // 10 for n in range(50)]).high == pytest.approx(wilson(0, 5).high)


def test_a_ratio_is_of_sums_and_its_draws_are_of_whole_groups() -> None:
    above, below = np.array([1.0, 0.0, 3.0]), np.array([2.0, 1.0, 3.0])
    found = clustered_ratio(above, below, ["a", "b", "c"])

    assert (found.value, found.n) == (4 / 6, 6)
    assert found.low == 0
    with pytest.raises(ValueError, match="no case"):
        clustered_ratio(np.zeros(2), np.zeros(2), ["a", "b"])
    alike = group(np.array([1.0, 0.0, 1.0, 0.0]), ["a", "a", "b", "b"])
    assert set(resampled(alike, lambda sums, sizes: sums[:, 0] / sizes)) == {0.5}


@pytest.mark.parametrize("make", [clustered_rate, clustered_mean])
def test_nothing_to_measure_is_an_error(make: object) -> None:
    with pytest.raises(ValueError, match="no case"):
        make(np.empty(0), [])  # type: ignore[operator]  # Both take a column and its keys.
    with pytest.raises(ValueError, match="no pair"):
        paired_difference(np.empty(0), [])


def test_small_groups_are_drawn_to_the_common_rate() -> None:
    hits, trials = np.array([0.0, 60.0, 45.0, 70.0]), np.array([2.0, 100.0, 100.0, 100.0])
    found = shrunk(hits, trials)

    assert 0.3 < found[0] < 58 / 100
    assert 0.58 < found[1] < 0.6
    assert 0.45 < found[2] < 0.5
    assert shrunk(np.array([5.0]), np.array([10.0])) == [0.5]
    assert np.allclose(shrunk(np.array([5.0, 50.0]), np.array([10.0, 100.0])), 0.5)


@given(st.floats(0.01, 0.99))
def test_a_standardised_rate_lies_between_its_parts(weight: float) -> None:
    rates = {"a": wilson(20, 100), "b": wilson(80, 100)}
    found = standardised(rates, {"a": weight, "b": 1 - weight, "unseen": 1.0})

    assert found is not None
    assert found.value == pytest.approx(0.2 * weight + 0.8 * (1 - weight))
    assert found.low <= found.value <= found.high
    assert math.isclose(found.n, 200)
    assert standardised(rates, {"unseen": 1.0}) is None

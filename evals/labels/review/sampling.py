"""A sample in which every category has its share."""

from collections.abc import Mapping, Sequence

import numpy as np


def stratified(strata: Mapping[str, Sequence[str]], size: int, *, seed: int) -> list[str]:
    """Draw `size` members, from each stratum in proportion, and from every stratum at least one while they last.

    The result is in the order of the draw: those who stop early have labelled a fair sample too. The same seed and
    strata give the same sample.
    """
    everything = sum(len(members) for members in strata.values())
    if size >= everything:
        shares = {name: len(members) for name, members in strata.items()}
    else:
        shares = _shares({name: len(members) for name, members in strata.items() if members}, size)
    random = np.random.default_rng(seed)
    drawn: list[tuple[float, str]] = []
    for name in sorted(shares):
        members, share = strata[name], shares[name]
        # A stratum's members are spread evenly over the sample, each stratum from a start of its own.
        start = random.random()
        places = random.permutation(len(members))[:share]
        drawn += [((rank + start) / share, members[place]) for rank, place in enumerate(places)]
    return [member for _, member in sorted(drawn)]


def _shares(sizes: Mapping[str, int], size: int) -> dict[str, int]:
    """How many to draw of each: largest remainders, after one for each, the largest first."""
    by_size = sorted(sizes, key=lambda name: (-sizes[name], name))
    shares = dict.fromkeys(by_size[:size], 1)
    left = size - len(shares)
    if left <= 0:
        return shares
    rest = {name: sizes[name] - 1 for name in shares}
    total = sum(rest.values())
    exact = {name: left * count / total for name, count in rest.items()}
    for name, share in exact.items():
        shares[name] += int(share)
    missing = size - sum(shares.values())
    for name in sorted(exact, key=lambda name: (int(exact[name]) - exact[name], name))[:missing]:
        shares[name] += 1
    return shares

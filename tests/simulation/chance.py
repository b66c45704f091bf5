"""Clock and chance, taken over for a while: what the product is told when it asks for either follows from a seed."""

import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from functools import cache
from random import Random
from typing import Any

# A Monday at nine: people are there.
BEGINNING = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
_OURS = ("agent", "tools", "graphs", "server")

Clock = Callable[[], float]
"""Seconds since 1970."""


@contextmanager
def taken_over(clock: Clock, seed: str) -> Iterator[None]:
    """Within this, `datetime.now` in the product's modules, ids and random numbers follow from `clock` and `seed`."""
    chance = Random(seed)  # noqa: S311  # Not for secrets.
    before = os.urandom, random._urandom, random.getstate()  # type: ignore[attr-defined]  # Behind `secrets`.
    with _datetime(clock):
        # Behind uuid4 and behind `secrets`.
        os.urandom = random._urandom = chance.randbytes  # type: ignore[attr-defined]
        random.seed(seed)
        try:
            yield
        finally:
            os.urandom, random._urandom = before[:2]  # type: ignore[attr-defined]
            random.setstate(before[2])


@contextmanager
def _datetime(clock: Clock) -> Iterator[None]:
    modules = _modules(len(sys.modules))
    for module in modules:
        module.datetime = _Datetime(clock)
    try:
        yield
    finally:
        for module in modules:
            module.datetime = datetime


class _Datetime:
    """Stands for the class in a module: only what it says of now is another."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self, tz: tzinfo | None = None) -> datetime:
        return datetime.fromtimestamp(self._clock(), tz)

    def __call__(self, *args: Any, **kw: Any) -> datetime:
        return datetime(*args, **kw)  # noqa: DTZ001  # The caller's own.

    def __getattr__(self, name: str) -> Any:
        return getattr(datetime, name)

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, datetime)


@cache
def _modules(known: int) -> tuple[Any, ...]:
    """The product's modules that have imported `datetime`, among so many that are loaded."""
    return tuple(
        module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in _OURS and getattr(module, "datetime", None) is datetime
    )

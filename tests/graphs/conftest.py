"""Where turns send their traces."""

from collections.abc import Iterator

import pytest

from tests.tools.tracing.receivers import Receiver, receiving


@pytest.fixture
def langsmith() -> Iterator[Receiver]:
    """Something that takes LangSmith's requests."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def collector() -> Iterator[Receiver]:
    """Something that takes an OpenTelemetry exporter's requests."""
    with receiving() as receiver:
        yield receiver

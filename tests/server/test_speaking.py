"""Which language is spoken before a customer has written anything."""

from dataclasses import replace

import pytest

from agent.types import Language
from server.speaking import language_of
from tools.workspace import default_workspace


@pytest.mark.parametrize(
    ("given", "spoken"),
    [("es-MX", "es"), ("DE", "de"), ("en", "en"), ("fr", "de"), ("", "de"), (None, "de"), (["es"], "de")],
)
def test_a_tag_of_ours_goes_first_and_then_the_workspace(given: object, spoken: Language) -> None:
    german_first = replace(default_workspace(), languages=("de", "en"))

    assert language_of(given, german_first) == spoken

"""Whether an element of a page may be pointed at: only one that was spoken of, so that nobody is led elsewhere."""

import re
from collections.abc import Sequence

from agent.types import PageElement


def named_elements(elements: Sequence[PageElement], spoken: str) -> set[str]:
    """The ids of those elements whose label, or one of whose keywords, stands in `spoken` with all its words."""
    words = _words(spoken)
    return {
        element.element_id
        for element in elements
        if any((name := _words(text)) and name <= words for text in (element.label.render_plain(), *element.keywords))
    }


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))

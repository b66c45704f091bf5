"""Messages as customers of invented products write them, with what each is: what the shipped ears were taught with."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tools.engines.local.ears.examples import SETS
from tools.engines.local.shipped import as_text, damaged, names_in, read_data, read_text

_FOLDER = "messages"


@dataclass(frozen=True, slots=True)
class Message:
    """One of them, as its author saw it.

    `mood` lies in -2 to 2. `stands` is "alone", "leans" (on what was said before), "solved" or "unsolved" (leans on an
    answer, and says that it helped or didn't). `needs_person` says that no article may settle it.
    """

    product: str
    language: str
    kind: str
    needs_person: bool
    mood: int
    stands: str
    text: str


def load_messages() -> list[Message]:
    """Read all of them.

    Raises:
        Misconfigured: the installation is damaged.
    """
    found = [message for name in names_in(_FOLDER) for message in _read(name)]
    if not found:
        raise damaged(_FOLDER)
    return found


def _read(name: str) -> Iterator[Message]:
    data = read_data(name)
    for product in data["products"]:
        for each in product["messages"]:
            yield _message(product["product"], data["language"], each)


def _message(product: str, language: str, each: Sequence[Any]) -> Message:
    kind, needs_person, mood, stands, text = each
    return Message(product, language, as_text(kind), bool(needs_person), int(mood), as_text(stands), as_text(text))


def labels_of(message: Message) -> dict[str, str]:
    """What a message is in each set that it is an example of."""
    wants_person = message.kind == "wants_person"
    # "Ok thanks" leans on what was said, and needs none of it.
    leans = message.stands != "alone" and message.kind != "small_talk"
    found = {
        "kind": message.kind,
        "wish": "yes" if wants_person else "no",
        "sentiment": str(message.mood),
        "follow_up": "yes" if leans else "no",
    }
    if message.stands != "alone":  # Behind an answer; how often it helped is told by those alone.
        found["feedback"] = message.stands if message.stands in ("solved", "unsolved") else "other"
    # Whoever asks for a person is heard as that, whatever it is about.
    return found if wants_person else found | {"risk": "yes" if message.needs_person else "no"}


def digest_of_examples() -> str:
    """A hash of all files that say what a message is, and of the words that other languages are read by.

    Raises:
        Misconfigured: the installation is damaged.
    """
    found = hashlib.sha256()
    for name in (*names_in(_FOLDER), *SETS, "gloss"):
        found.update(f"{name}\x1f{read_text(name)}\x1e".encode())
    return found.hexdigest()

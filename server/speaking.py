"""In which language a customer is spoken to before anything they wrote tells."""

from agent.types import LANGUAGES, Language
from tools.workspace import Workspace


def language_of(given: object, workspace: Workspace) -> Language:
    """Return the first of our languages that a language tag begins with, else the workspace's first.

    Args:
        given: a tag as pages and browsers have them (`de-CH`), or anything else where none is known.
        workspace: whose customer it is.
    """
    tag = given.lower() if isinstance(given, str) else ""
    return next((language for language in LANGUAGES if tag.startswith(language)), workspace.languages[0])

"""Where a piece of an answer would lead somebody: links, images, markup, hosts, mail addresses."""

import re
import unicodedata

_END = r"[^\s)>\]\"'`«»“”]"
_HOST = re.compile(rf"(?<![\w.@-])((?:[\w-]{{1,63}}\.)+[^\W\d_]{{2,24}}(?::\d{{1,5}})?(?:[/?#]{_END}*)?)")
_TARGETS = (
    re.compile(r"\]\(\s*<?([^)\s>]+)"),  # [text](target), ![image](target)
    re.compile(r"\]:\s*<?(\S+?)>?(?:\s|$)"),  # [name]: target
    re.compile(rf"((?:\b[a-z][a-z0-9+.-]{{1,20}}:)?//{_END}+)", re.IGNORECASE),
    re.compile(rf"\b((?:javascript|data|vbscript|file|mailto|tel):{_END}+)", re.IGNORECASE),
    re.compile(r"(<[a-z!/?][^>]*>?)", re.IGNORECASE),  # Markup of any kind, closed or not.
    re.compile(r"(!\[)"),  # An image asks for something to be fetched.
    re.compile(r"(?<![\w.+-])([\w.+-]+@[\w-]+(?:\.[\w-]+)+)"),
    re.compile(r"(?<![\w+/=-])([\w+/=-]{48,})"),  # No word is so long: what it is, nobody can read it.
)
_IN_BRACKETS = re.compile(r"\((?=[^()]*\w)[^()]*\)")
_AS_DOTS = str.maketrans("。．｡", "...")


def targets(text: str) -> list[str]:
    """Every address, tag, image mark and code in `text`, in no particular order.

    A host without more is an address too: few programs make a link of it, but people type it.
    """
    plain = _as_read(text)
    return [_bare(match.group(1)) for pattern in (*_TARGETS, _HOST) for match in pattern.finditer(plain)]


def all_cited(text: str, sources: list[str]) -> bool:
    """Whether each of them stands in one of the sources, whole: a part of an address leads elsewhere."""
    wanted = set(targets(text))
    if not wanted:
        return True
    known = {target for source in sources for target in targets(source)}
    # Whoever cites a page may name its host.
    known |= {re.split(r"[/?#]", _bare(match))[0] for source in sources for match in _HOST.findall(_as_read(source))}
    return wanted <= known


def title_in_words(title: str, *, limit: int = 80) -> str:
    """What an article calls itself as plain words: neither Markdown nor a link may come of it."""
    words = _settled(_as_read(title))
    return _settled(words[:limit])


def _settled(words: str) -> str:
    # What is taken out may bring together what stood around it: "https:/</x".
    while (plainer := _plainer(words)) != words:
        words = plainer
    return words


def _plainer(words: str) -> str:
    for pattern in _TARGETS:
        words = pattern.sub(" ", words)
    words = _HOST.sub(lambda match: match.group().replace(".", " "), words)
    words = "".join(char for char in words if char not in "[]<>*_`#!|\\")
    # Without square brackets round ones make no link; those that have lost the other one, or what they held, go.
    kept = {place for pair in _IN_BRACKETS.finditer(words) for place in (pair.start(), pair.end() - 1)}
    words = "".join(char for place, char in enumerate(words) if char not in "()" or place in kept)
    return " ".join(words.split())


def _as_read(text: str) -> str:
    """As a browser reads it: compatibility forms are folded, what can't be seen is not there."""
    plain = unicodedata.normalize("NFKC", text).translate(_AS_DOTS)
    return "".join(char for char in plain if unicodedata.category(char) != "Cf")


def _bare(target: str) -> str:
    # A slash at the end makes no other page.
    return target.rstrip(".,;:!?*_/") or target

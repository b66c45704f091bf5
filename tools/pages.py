"""The page map: which routes a product has, what can be pointed at there, and what helps people on each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import Misconfigured
from agent.types import Guidance, Language, PageContext, PageElement, Source, Untrusted, WalkStep
from tools.workspace import read_yaml

MAX_ELEMENTS = 150
MAX_ITEMS = 10
_LABEL_LIMIT = 80
_LINE_LIMIT = 200
_ROUTE_LIMIT = 300


class _Element(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    selector: str
    label: str
    description: str = ""
    keywords: list[str] = []


class _Page(BaseModel):
    model_config = ConfigDict(extra="forbid")
    route: str
    title: str
    area: str | None = None
    opening: dict[Language, str] = {}
    suggestions: dict[Language, list[str]] = {}
    articles: list[str] = []
    elements: list[_Element] = []


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid")
    element: str
    text: str


class _Walk(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    title: str
    article: str
    steps: list[_Step]


class _Map(BaseModel):
    model_config = ConfigDict(extra="forbid")
    routes: list[_Page] = []
    walks: list[_Walk] = []
    opening: dict[Language, str] = {}
    suggestions: dict[Language, list[str]] = {}


@dataclass(frozen=True, slots=True)
class _Pattern:
    regex: re.Pattern[str]
    page: _Page


_FALLBACK_OPENING: dict[Language, str] = {
    "en": "Tell me what you are trying to do, and I'll find it in our help articles.",
    "de": "Sagen Sie mir, was Sie vorhaben, und ich suche es in unseren Hilfeartikeln.",
    "es": "Dígame qué quiere hacer y lo busco en nuestros artículos de ayuda.",
}


class PageMap:
    """Implements `PageDirectory` over a workspace's `pages.yaml`."""

    def __init__(self, data: _Map) -> None:
        self._patterns = [_Pattern(_to_regex(page.route), page) for page in data.routes]
        self._walks = data.walks
        self._opening = data.opening
        self._suggestions = data.suggestions
        self._elements = {element.id: element for page in data.routes for element in page.elements}

    @classmethod
    def load(cls, path: Path | None) -> "PageMap":
        """Read a page map; no file is a map without routes.

        Raises:
            Misconfigured: the file is wrong; the message names the place.
        """
        if path is None or not path.exists():
            return cls(_Map())
        try:
            data = _Map.model_validate(read_yaml(path, what="page map"))
        except ValidationError as exc:
            first = exc.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Misconfigured(f"{path}: {where}: {first['msg']}") from exc
        known = {element.id for page in data.routes for element in page.elements}
        for walk in data.walks:
            for step in walk.steps:
                if step.element not in known:
                    raise Misconfigured(f"{path}: walk {walk.id!r} names the unknown element {step.element!r}")
        return cls(data)

    @property
    def routes(self) -> list[str]:
        """Every route pattern of the map."""
        return [pattern.page.route for pattern in self._patterns]

    def locate(self, page: dict[str, object] | None) -> PageContext:
        """Turn what a widget sent into a typed value, bounded; what can't be read is left out."""
        if not isinstance(page, Mapping):
            return PageContext()
        path = _string(page.get("route"), _ROUTE_LIMIT)
        known = self._match(path)
        title = _string(page.get("title"), _LINE_LIMIT)
        reported, truncated = self._reported_elements(page.get("elements"), known)
        return PageContext(
            route=known.route if known else path,
            page_name=known.title if known else None,
            title=Untrusted.of(title, Source.PAGE, limit=_LINE_LIMIT) if title else None,
            area=known.area if known else None,
            known=known is not None,
            elements=reported,
            recent_actions=_lines(page.get("actions")),
            errors=_lines(page.get("errors")),
            article_ids=tuple(known.articles) if known else (),
            truncated=truncated,
        )

    def element_ids(self, route: str) -> list[str] | None:
        """Ids of the elements that a route's page can have, or None when the map has no such route."""
        page = self._match(route)
        return [element.id for element in page.elements] if page else None

    def opening(self, route: str | None, language: Language) -> tuple[str, tuple[str, ...]]:
        """Return the opening and the suggestions for a route, falling back to the map's general ones."""
        page = self._match(route)
        openings = (page.opening if page else {}) or self._opening
        suggestions = (page.suggestions if page else {}) or self._suggestions
        opening = openings.get(language) or openings.get("en") or _FALLBACK_OPENING[language]
        return opening, tuple(suggestions.get(language) or suggestions.get("en") or ())

    def guidance(
        self,
        page: PageContext,
        article_ids: Sequence[str],
        answer_text: str,
        *,
        question: str,
        chosen: Sequence[str] = (),
    ) -> Guidance | None:
        """Point at elements that are on the page now: those chosen, the article's own walk, or the one it names."""
        present = {element.element_id: element for element in page.elements}
        if not present:
            return None
        picked = [present[element_id] for element_id in dict.fromkeys(chosen) if element_id in present]
        if picked:
            return Guidance(picked[0].label.render_plain(), tuple(_step(element) for element in picked))
        for article_id in article_ids[:1]:
            for walk in self._walks:
                steps = [step for step in walk.steps if step.element in present]
                if walk.article == article_id and steps:
                    return Guidance(
                        walk.title,
                        tuple(WalkStep(s.element, present[s.element].selector, s.text) for s in steps),
                    )
        named = self._named_element(present, answer_text, question)
        if named is None:
            return None
        return Guidance(named.label.render_plain(), (_step(named),))

    def _named_element(self, present: dict[str, PageElement], answer_text: str, question: str) -> PageElement | None:
        """The element of the map whose label or keyword the answer says, longest wording first."""
        bold = [" ".join(part.lower().split()) for part in re.findall(r"\*\*(.+?)\*\*", answer_text)]
        best: tuple[int, PageElement] | None = None
        for element_id, element in present.items():
            if element_id not in self._elements:
                continue
            for wording in (element.label.render_plain(), *element.keywords):
                wanted = wording.lower()
                said = any(wanted == part or wanted in re.split(r"\s*>\s*", part) for part in bold)
                weight = len(wanted) + (20 if wanted in question.lower() else 0)
                if said and (best is None or weight > best[0]):
                    best = (weight, element)
        return best[1] if best else None

    def _match(self, path: str | None) -> _Page | None:
        if not path:
            return None
        plain = re.split(r"[?#]", path, maxsplit=1)[0].rstrip("/") or "/"
        for pattern in self._patterns:
            if pattern.page.route == path or pattern.regex.fullmatch(plain):
                return pattern.page
        return None

    def _reported_elements(self, raw: object, page: _Page | None) -> tuple[tuple[PageElement, ...], bool]:
        if not isinstance(raw, list):
            return (), False
        on_page = {element.id: element for element in page.elements} if page else {}
        seen: dict[str, PageElement] = {}
        for item in raw[:MAX_ELEMENTS]:
            if not isinstance(item, Mapping):
                continue
            reported = _string(item.get("id"), _LABEL_LIMIT)
            # Only elements of the map can be pointed at: a page can't make the widget click-bait its own.
            if reported is None or reported not in on_page or reported in seen:
                continue
            known = on_page[reported]
            seen[known.id] = PageElement(
                element_id=known.id,
                selector=known.selector,
                label=Untrusted.of(known.label, Source.PAGE, limit=_LABEL_LIMIT),
                description=known.description,
                keywords=tuple(known.keywords),
            )
        return tuple(seen.values()), len(raw) > MAX_ELEMENTS


def _step(element: PageElement) -> WalkStep:
    return WalkStep(element.element_id, element.selector, element.description or element.label.render_plain())


def _to_regex(route: str) -> re.Pattern[str]:
    """`/projects/:id/board` matches one segment per `:name`."""
    parts = [r"[^/]+" if part.startswith(":") else re.escape(part) for part in route.rstrip("/").split("/")]
    return re.compile("/".join(parts) or "/")


def _string(value: object, limit: int) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return None
    return Untrusted.of(value, Source.PAGE, limit=limit).render_plain().strip() or None


def _lines(value: object) -> tuple[Untrusted, ...]:
    if not isinstance(value, list):
        return ()
    texts = [item for item in value[-MAX_ITEMS:] if isinstance(item, str)]
    return tuple(Untrusted.of(text, Source.PAGE, limit=_LINE_LIMIT) for text in texts if text.strip())

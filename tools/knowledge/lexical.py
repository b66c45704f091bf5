"""Search by words: BM25 over title, section and text, stemmed by language, built in memory from the stored texts."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import tantivy

from tools.storage.knowledge import ArticleRow, PassageRow

_STEMMERS = {"en": "english", "de": "german", "es": "spanish"}
# Words that make a sentence a question, which articles use as well; the stemmers' own stop words lack them.
_QUESTION_WORDS = {
    "en": "how what where when who which why can could do does did i my me we our you your please need want get",
    "de": "wie was wo wann wer welche warum kann können ich mich mein meine wir uns unser sie ihr bitte",
    "es": "cómo como qué que dónde donde cuándo cuando quién cuál puedo puede mi mis me nos por favor quiero",
}
_FIELDS = ("title", "section", "text")
_BOOSTS = {"title": 2.0, "section": 1.5, "text": 1.0}
_QUERY_TOKENS = 48
_HEAP_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class WordHit:
    """A passage or an article found by its words. `score` is BM25, unbounded."""

    entry_id: str
    score: float


class Analyzer:
    """Texts to stems, the same way for passages and questions."""

    def __init__(self) -> None:
        self._by_language = {language: self._build(language, name) for language, name in _STEMMERS.items()}

    @staticmethod
    def _build(language: str, name: str) -> tantivy.TextAnalyzer:
        return (
            tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
            .filter(tantivy.Filter.remove_long(40))
            .filter(tantivy.Filter.lowercase())
            .filter(tantivy.Filter.stopword(name))
            .filter(tantivy.Filter.custom_stopword(_QUESTION_WORDS[language].split()))
            .filter(tantivy.Filter.ascii_fold())
            .filter(tantivy.Filter.stemmer(name))
            .build()
        )

    def stems(self, text: str, language: str) -> list[str]:
        """Return the stems of `text` without stop words; unknown languages are read as English."""
        analyzer = self._by_language.get(language) or self._by_language["en"]
        return list(analyzer.analyze(text))


class LexicalIndex:
    """BM25 over one generation, passage by passage and article by article."""

    def __init__(self, passages: Sequence[PassageRow], articles: dict[str, ArticleRow]) -> None:
        self._analyzer = Analyzer()
        self._texts = {passage.passage_id: passage for passage in passages}
        self._articles = articles
        stemmed = {passage.passage_id: self._stemmed(passage) for passage in passages}
        # As text, a space around every stem: a tenth of the memory of sets, and quick to look into.
        self._stems = {i: f" {s.title} {s.section} {s.text} " for i, s in stemmed.items()}
        self._passages = _Bm25(stemmed.items())
        whole: dict[str, list[_Stemmed]] = {}
        for passage in passages:
            whole.setdefault(passage.article_id, []).append(stemmed[passage.passage_id])
        self._whole = _Bm25((article_id, _joined(parts)) for article_id, parts in whole.items())
        self._titled = lru_cache(maxsize=20_000)(self._read_title)

    def search(self, text: str, language: str, *, limit: int) -> list[WordHit]:
        """Return the best passages. Nothing in `text` is query syntax."""
        return self._passages.search(self._analyzer.stems(text, language), limit)

    def search_articles(self, text: str, language: str, *, limit: int) -> list[WordHit]:
        """Return the best articles, each read as one text: what is said all over it counts together."""
        return self._whole.search(self._analyzer.stems(text, language), limit)

    def asked(self, text: str, language: str) -> "Asked":
        """Return the question as it is compared with one passage after another."""
        weights = {stem: self._rarity(stem) for stem in sorted(set(self._analyzer.stems(text, language)))}
        return Asked(weights, self._stems, self._titles_of)

    def _rarity(self, stem: str) -> float:
        return math.log(1 + max(1, len(self._texts)) / (1 + self._passages.seen(stem)))

    def _stemmed(self, passage: PassageRow) -> "_Stemmed":
        article = self._articles[passage.article_id]
        return _Stemmed(
            *(
                " ".join(self._analyzer.stems(text, article.language))
                for text in (article.title, passage.section, passage.text)
            )
        )

    def _titles_of(self, passage_id: str) -> frozenset[str]:
        return self._titled(self._texts[passage_id].article_id)

    def _read_title(self, article_id: str) -> frozenset[str]:
        article = self._articles[article_id]
        return frozenset(self._analyzer.stems(article.title, article.language))


class Asked:
    """A question in stems, to be compared with passages. Made by `LexicalIndex.asked`."""

    def __init__(
        self, weights: Mapping[str, float], said: Mapping[str, str], titled: Callable[[str], frozenset[str]]
    ) -> None:
        self._stems = frozenset(weights)
        self._weights = [(f" {stem} ", weight) for stem, weight in weights.items()]
        self._total = sum(weights.values())
        self._said = said
        self._titled = titled

    def coverage(self, passage_id: str) -> float:
        """Return which share of the question's information the passage has the words of, in [0, 1].

        Each stem counts by its inverse document frequency, so that rare words weigh more.
        """
        if not self._weights:
            return 0.0
        said = self._said[passage_id]
        return sum([weight for stem, weight in self._weights if stem in said]) / self._total

    def title_fit(self, passage_id: str) -> float:
        """Return how much the question and the title of the passage's article are of the same words, in [0, 1].

        The share of shared stems among all of both: of two sister products the one that was named fits better.
        """
        titled = self._titled(passage_id)
        if not self._stems or not titled:
            return 0.0
        shared = len(self._stems & titled)
        return shared / (len(self._stems) + len(titled) - shared)


@dataclass(frozen=True, slots=True)
class _Stemmed:
    """Stems, with spaces between them."""

    title: str
    section: str
    text: str


class _Bm25:
    """One tantivy index in memory. Texts arrive as stems: one field serves every language."""

    def __init__(self, entries: Iterable[tuple[str, _Stemmed]]) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("entry_id", stored=True, tokenizer_name="raw")
        for field in _FIELDS:
            builder.add_text_field(field, tokenizer_name="whitespace")
        self._schema = builder.build()
        index = tantivy.Index(self._schema)
        index.register_tokenizer("whitespace", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
        writer = index.writer(_HEAP_BYTES, 1)
        for entry_id, stemmed in entries:
            writer.add_document(
                tantivy.Document(entry_id=entry_id, title=stemmed.title, section=stemmed.section, text=stemmed.text)
            )
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        self._searcher = index.searcher()

    def search(self, stems: Sequence[str], limit: int) -> list[WordHit]:
        distinct = list(dict.fromkeys(stems))[:_QUERY_TOKENS]
        if not distinct:
            return []
        parts = [
            (
                tantivy.Occur.Should,
                tantivy.Query.boost_query(tantivy.Query.term_query(self._schema, field, stem), _BOOSTS[field]),
            )
            for stem in distinct
            for field in _FIELDS
        ]
        found = self._searcher.search(tantivy.Query.boolean_query(parts), limit)
        return [WordHit(self._searcher.doc(address)["entry_id"][0], float(score)) for score, address in found.hits]

    def seen(self, stem: str) -> int:
        """In how many entries the stem stands."""
        return max(self._searcher.doc_freq(field, stem) for field in _FIELDS)


def _joined(parts: Sequence[_Stemmed]) -> _Stemmed:
    """An article as one field: as fields of their own, its short title and headings would outweigh all that it says."""
    title = parts[0].title
    return _Stemmed("", "", " ".join([title, title, *(f"{part.section} {part.text}" for part in parts)]))

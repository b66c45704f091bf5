"""Search by words: BM25 over title, section and text, stemmed by language, built in memory from the stored texts."""

import math
from collections.abc import Sequence
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
    """A passage found by its words. `score` is BM25, unbounded."""

    passage_id: str
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
    """A BM25 index of one generation."""

    def __init__(self, passages: Sequence[PassageRow], articles: dict[str, ArticleRow]) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("passage_id", stored=True, tokenizer_name="raw")
        for field in _FIELDS:
            # Texts arrive as stems: one field serves every language.
            builder.add_text_field(field, tokenizer_name="whitespace")
        self._schema = builder.build()
        self._analyzer = Analyzer()
        self._index = tantivy.Index(self._schema)
        self._index.register_tokenizer(
            "whitespace", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        )
        self._texts = {passage.passage_id: passage for passage in passages}
        self._articles = articles
        writer = self._index.writer(_HEAP_BYTES, 1)
        for passage in passages:
            article = articles[passage.article_id]
            writer.add_document(
                tantivy.Document(
                    passage_id=passage.passage_id,
                    title=" ".join(self._analyzer.stems(article.title, article.language)),
                    section=" ".join(self._analyzer.stems(passage.section, article.language)),
                    text=" ".join(self._analyzer.stems(passage.text, article.language)),
                )
            )
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()
        self._count = max(1, len(passages))
        self._stems_of = lru_cache(maxsize=20_000)(self._read_stems)
        self._titled = lru_cache(maxsize=20_000)(self._read_title)
        # A question is compared with every candidate.
        self._asked = lru_cache(maxsize=64)(self._read_question)

    def search(self, text: str, language: str, *, limit: int) -> list[WordHit]:
        """Return the best passages by BM25. Nothing in `text` is query syntax."""
        stems = list(dict.fromkeys(self._analyzer.stems(text, language)))[:_QUERY_TOKENS]
        if not stems:
            return []
        parts = [
            (
                tantivy.Occur.Should,
                tantivy.Query.boost_query(tantivy.Query.term_query(self._schema, field, stem), _BOOSTS[field]),
            )
            for stem in stems
            for field in _FIELDS
        ]
        found = self._searcher.search(tantivy.Query.boolean_query(parts), limit)
        return [WordHit(self._searcher.doc(address)["passage_id"][0], float(score)) for score, address in found.hits]

    def coverage(self, text: str, language: str, passage_id: str) -> float:
        """Return which share of the question's information the passage has the words of, in [0, 1].

        Each stem counts by its inverse document frequency, so that rare words weigh more.
        """
        weights = self._asked(text, language)
        if not weights:
            return 0.0
        there = self._stems_of(passage_id)
        return sum(weight for stem, weight in weights.items() if stem in there) / sum(weights.values())

    def title_fit(self, text: str, language: str, passage_id: str) -> float:
        """Return how much the question and the title of the passage's article are of the same words, in [0, 1].

        The share of shared stems among all of both: of two sister products the one that was named fits better.
        """
        asked = self._asked(text, language).keys()
        titled = self._titled(self._texts[passage_id].article_id)
        return len(asked & titled) / len(asked | titled) if asked and titled else 0.0

    def _rarity(self, stem: str) -> float:
        seen = max(self._searcher.doc_freq(field, stem) for field in _FIELDS)
        return math.log(1 + self._count / (1 + seen))

    def _read_question(self, text: str, language: str) -> dict[str, float]:
        return {stem: self._rarity(stem) for stem in sorted(set(self._analyzer.stems(text, language)))}

    def _read_title(self, article_id: str) -> frozenset[str]:
        article = self._articles[article_id]
        return frozenset(self._analyzer.stems(article.title, article.language))

    def _read_stems(self, passage_id: str) -> frozenset[str]:
        passage = self._texts[passage_id]
        article = self._articles[passage.article_id]
        return frozenset(self._analyzer.stems(f"{article.title} {passage.section} {passage.text}", article.language))

"""Which named things (a product, a plan, a service) an article is about, and whether a question names them too.

Help centres hold the same article many times over, once per product: "Purple Account: ATM fees", "Blue Account: ATM
fees". Which of them is meant is said by the name alone, and a question without any name means the general one. Nobody
lists the names for us: they are the words that are written with a capital letter in the middle of sentences.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from tools.storage.knowledge import ArticleRow, PassageRow

_WORD = re.compile(r"\w+(?:[-+'’]\w+)*")
_LINE_START = re.compile(r"^[\s#>*|\-\d.)]+")
_SENTENCE = re.compile(r"(?<=[.!?:|])\s+")
# In German every noun has a capital: there the letter says nothing.
_UNTOLD = ("de",)
_PROPER, _HEADLINE = 0.6, 0.8
_LEAST_TITLES, _MOST_ARTICLES = 2, 0.2
_THROUGHOUT = 0.6


class Subjects:
    """The names of one generation's articles."""

    def __init__(self, articles: Mapping[str, ArticleRow], passages: Sequence[PassageRow]) -> None:
        told = {i: article for i, article in articles.items() if article.language not in _UNTOLD}
        titled = {i: frozenset(_words(article.title)) for i, article in told.items()}
        by_article = {
            article_id: [passage.text for passage in group]
            for article_id, group in groupby(
                sorted((p for p in passages if p.article_id in told), key=lambda p: p.article_id),
                key=lambda p: p.article_id,
            )
        }
        proper = _proper(text for texts in by_article.values() for text in texts)
        in_titles = Counter(word for words in titled.values() for word in words)
        said = {i: [frozenset(_words(text)) for text in texts] for i, texts in by_article.items()}
        in_articles = Counter(word for texts in said.values() for word in frozenset[str]().union(*texts))
        names = {
            word
            for word, count in in_titles.items()
            if count >= _LEAST_TITLES
            and word in proper
            and len(word) > 1
            and not word.isdigit()
            and in_articles[word] <= _MOST_ARTICLES * len(told)
        }
        self._names = {i: titled[i] & names or _throughout(said.get(i, []), names) for i in told}

    def of(self, article_id: str) -> frozenset[str]:
        """The names, in lower case; none for an article about nothing in particular."""
        return self._names.get(article_id, frozenset())

    def fit(self, question: str) -> Callable[[str], int]:
        """Return what tells of an article whether the question names its subject.

        1: it does, with every word of the name; -1: it doesn't; 0: the article has no particular subject.
        """
        asked = frozenset(_words(question))

        def judge(article_id: str) -> int:
            names = self.of(article_id)
            return 0 if not names else 1 if names <= asked else -1

        return judge


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _throughout(texts: Sequence[frozenset[str]], names: set[str]) -> frozenset[str]:
    """The names that most of an article's passages mention, when its title has none."""
    counts = Counter(name for text in texts for name in text & names)
    return frozenset(name for name, count in counts.items() if count >= max(2, _THROUGHOUT * len(texts)))


def _proper(texts: Iterable[str]) -> set[str]:
    """Words that are mostly written with a capital where nothing but their being a name asks for one."""
    with_capital: Counter[str] = Counter()
    without: Counter[str] = Counter()
    for text in texts:
        for line in text.split("\n"):
            for sentence in _SENTENCE.split(_LINE_START.sub("", line)):
                words = _WORD.findall(sentence)
                longer = [word for word in words if len(word) > 3]
                if len(longer) > 1 and sum(word[0].isupper() for word in longer) > _HEADLINE * len(longer):
                    continue  # A heading or a label, where every word has one.
                for word in words[1:]:
                    (with_capital if word[0].isupper() else without)[word.lower()] += 1
    return {word for word, count in with_capital.items() if count >= _PROPER * (count + without[word])}

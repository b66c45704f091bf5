"""What tickets without a category have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN
from sklearn.feature_extraction.text import TfidfVectorizer

from evals.tickets.ticket import Ticket

MOST = 10
_MIN_TICKETS = 20
_MIN_SIZE = 5
_SIZE_SHARE = 0.02
_WORDS = 5
_MAX_EXAMPLE_CHARS = 120
_A_WORD = r"(?u)\b[^\W\d_]{3,}\b"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Tickets alike. `tickets` is how many there are, estimated from the sample; `example_id` is the most typical."""

    tickets: int
    words: tuple[str, ...]
    example_id: str
    example: str


def clusters_of(tickets: Sequence[Ticket], vectors: NDArray[np.float32], weight: float) -> tuple[Cluster, ...]:
    """The largest groups of tickets that mean the like, largest first; those alone are in none.

    Args:
        tickets: a sample.
        vectors: one row for each, of length 1.
        weight: how many tickets each of them stands for.

    Source: Campello, Moulavi and Sander, "Density-based clustering based on hierarchical density estimates", PAKDD
    2013; scikit-learn's implementation.
    """
    if len(tickets) < _MIN_TICKETS:
        return ()
    size = max(_MIN_SIZE, round(_SIZE_SHARE * len(tickets)))
    groups = HDBSCAN(min_cluster_size=size, min_samples=2, copy=True).fit_predict(vectors)
    try:
        counts = TfidfVectorizer(min_df=2, token_pattern=_A_WORD)
        weights = counts.fit_transform([ticket.text for ticket in tickets])
    except ValueError:
        # No word is in two of them.
        return ()
    names = counts.get_feature_names_out()
    found = []
    for group in range(groups.max() + 1):
        places = np.flatnonzero(groups == group)
        typical = places[int(np.argmax(vectors[places] @ vectors[places].sum(axis=0)))]
        # What these have more of than all of them together.
        heavy = np.asarray(weights[places].mean(axis=0) - weights.mean(axis=0)).ravel()
        words = tuple(str(names[place]) for place in np.argsort(-heavy, kind="stable")[:_WORDS] if heavy[place] > 0)
        ticket = tickets[int(typical)]
        example = " ".join(ticket.text.split())[:_MAX_EXAMPLE_CHARS]
        found.append(Cluster(round(len(places) * weight), words, ticket.ticket_id, example))
    return tuple(sorted(found, key=lambda each: (-each.tickets, each.example_id))[:MOST])

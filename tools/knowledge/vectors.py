"""Vectors on disk: one Chroma collection per generation. Synchronous; callers use a thread."""

import asyncio
import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import chromadb
import httpx
import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.client import Client
from chromadb.api.fastapi import FastAPI as HttpServerAPI
from chromadb.api.models.Collection import Collection
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError, NotFoundError
from numpy.typing import NDArray

from agent.errors import KnowledgeError
from tools.knowledge.held import HeldVectors, VectorHit, fits
from tools.knowledge.sweeping import sweep

logger = logging.getLogger(__name__)

_BATCH = 1000
FAILURES = (ChromaError, ValueError, RuntimeError, OSError, httpx.HTTPError)
"""What Chroma raises when its folder or its server fails."""


class VectorStore:
    """Where Chroma keeps its collections: a folder, which one process owns, or a server that many share."""

    def __init__(self, connect: Callable[[], ClientAPI]) -> None:
        self._connect = connect
        self._connected: ClientAPI | None = None
        self._closed = False
        self._lock = threading.Lock()

    @classmethod
    def in_folder(cls, folder: Path) -> "VectorStore":
        """Open a folder; only the process that owns the data folder may."""
        sweep(folder)
        try:
            client = _client(folder)
        except (ChromaError, ValueError, RuntimeError, OSError):
            # Vectors can be made again from the stored texts; refusing to start would help nobody.
            logger.exception("the vector index is damaged: set aside, to be rebuilt")
            aside = folder.with_name(f"{folder.name}.damaged")
            shutil.rmtree(aside, ignore_errors=True)
            folder.rename(aside)
            SharedSystemClient.clear_system_cache()
            client = _client(folder)
        store = cls(lambda: client)
        store._connected = client
        return store

    @classmethod
    def on_server(cls, url: str) -> "VectorStore":
        """Use the Chroma server at `http://host:port`; one that is away fails the calls, not the opening."""
        where = urlsplit(url)

        def connect() -> ClientAPI:
            return chromadb.HttpClient(
                host=where.hostname or "",
                port=where.port or (443 if where.scheme == "https" else 8000),
                ssl=where.scheme == "https",
                settings=ChromaSettings(anonymized_telemetry=False),
            )

        return cls(connect)

    def close(self) -> None:
        """Let go of the folder's files, or of the connections to the server; calls fail from then on."""
        with self._lock:
            client, self._connected, self._closed = self._connected, None, True
        if not isinstance(client, Client):  # Both of its kinds are; only `Client` promises `close`.
            return
        client.close()
        # Chroma's own `close` leaves the connections of its two HTTP clients open.
        for part in (client, getattr(client, "_admin_client", None)):
            server = getattr(part, "_server", None)
            if isinstance(server, HttpServerAPI):
                server._session.close()

    @property
    def _client(self) -> ClientAPI:
        with self._lock:
            if self._closed:
                raise KnowledgeError("the vector index is closed")
            if self._connected is None:
                self._connected = self._connect()
            return self._connected

    def create(self, name: str) -> "VectorCollection":
        """Make an empty collection.

        Raises:
            KnowledgeError: Chroma failed.
        """
        try:
            collection = self._client.create_collection(
                name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
        except FAILURES as exc:
            raise KnowledgeError("the vector index couldn't be written") from exc
        return VectorCollection(collection)

    def open(self, name: str) -> "VectorCollection | None":
        """Open a collection, or return None when there is none of that name.

        Raises:
            KnowledgeError: Chroma failed.
        """
        try:
            return VectorCollection(self._client.get_collection(name, embedding_function=None))
        except NotFoundError:
            return None
        except FAILURES as exc:
            raise KnowledgeError("the vector index can't be read") from exc

    def names(self) -> list[str]:
        """Every collection there is.

        Raises:
            KnowledgeError: Chroma failed.
        """
        try:
            return [collection.name for collection in self._client.list_collections()]
        except FAILURES as exc:
            raise KnowledgeError("the vector index can't be read") from exc

    def drop(self, name: str) -> None:
        """Delete a collection; one that isn't there is fine.

        Raises:
            KnowledgeError: Chroma failed.
        """
        try:
            self._client.delete_collection(name)
        except NotFoundError:
            logger.info("no collection to drop name=%s", name)
        except FAILURES as exc:
            raise KnowledgeError("the vector index couldn't be written") from exc


def _client(folder: Path) -> ClientAPI:
    return chromadb.PersistentClient(path=str(folder), settings=ChromaSettings(anonymized_telemetry=False))


class VectorCollection:
    """The vectors of one generation: on disk, and after `hold` in memory as well. `dimensions` is 0 before that."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self.dimensions = 0
        self._held: HeldVectors | None = None

    def count(self) -> int:
        """How many entries there are.

        Raises:
            KnowledgeError: Chroma failed.
        """
        try:
            return self._collection.count()
        except FAILURES as exc:
            raise KnowledgeError("the vector index can't be read") from exc

    def add(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add entries.

        Raises:
            KnowledgeError: Chroma failed.
        """
        self._held = None
        try:
            for start in range(0, len(ids), _BATCH):
                self._collection.add(ids=list(ids[start : start + _BATCH]), embeddings=vectors[start : start + _BATCH])
        except FAILURES as exc:
            raise KnowledgeError("the vector index couldn't be written") from exc

    def get(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors of those of `ids` that are there.

        Raises:
            KnowledgeError: Chroma failed.
        """
        found: dict[str, NDArray[np.float32]] = {}
        for start in range(0, len(ids), _BATCH):
            try:
                part = self._collection.get(ids=list(ids[start : start + _BATCH]), include=["embeddings"])
            except FAILURES as exc:
                raise KnowledgeError("the vector index can't be read") from exc
            vectors = part["embeddings"]
            if vectors is not None:
                found.update(
                    (entry_id, np.asarray(vector, dtype=np.float32))
                    for entry_id, vector in zip(part["ids"], vectors, strict=True)
                )
        return found

    def hold(self) -> None:
        """Keep the vectors in memory, unless they are too many: a search takes a tenth of the time then.

        Raises:
            KnowledgeError: Chroma failed.
        """
        try:
            entries = self._collection.count()
            first = self._collection.get(limit=1, include=["embeddings"])["embeddings"]
            if first is None or not len(first):
                return
            self.dimensions = len(first[0])
            if not fits(entries, self.dimensions):
                return
            ids: list[str] = []
            rows = np.empty((entries, self.dimensions), dtype=np.float32)
            while len(ids) < entries:
                part = self._collection.get(limit=_BATCH, offset=len(ids), include=["embeddings"])
                vectors = part["embeddings"]
                if vectors is None or not len(vectors):
                    raise KnowledgeError("the vector index holds fewer entries than it counts")
                rows[len(ids) : len(ids) + len(vectors)] = vectors
                ids += part["ids"]
        except FAILURES as exc:
            raise KnowledgeError("the vector index can't be read") from exc
        self._held = HeldVectors(ids, rows)

    def search(self, vector: NDArray[np.float32], *, limit: int) -> list[VectorHit]:
        """Return the nearest entries.

        Raises:
            KnowledgeError: Chroma failed.
        """
        if self._held is not None:
            return self._held.search(vector, limit=limit)
        try:
            found = self._collection.query(
                query_embeddings=vector.reshape(1, -1), n_results=limit, include=["distances"]
            )
        except FAILURES as exc:
            raise KnowledgeError("the vector index failed") from exc
        distances = found["distances"] or [[]]
        return [VectorHit(i, 1.0 - float(d)) for i, d in zip(found["ids"][0], distances[0], strict=True)]


async def open_vectors(data_dir: Path, chroma_url: str | None) -> VectorStore:
    """Open the index: the server's, or without one the folder of this process's data folder."""
    if chroma_url is None:
        return await asyncio.to_thread(VectorStore.in_folder, data_dir / "vectors")
    return await asyncio.to_thread(VectorStore.on_server, chroma_url)

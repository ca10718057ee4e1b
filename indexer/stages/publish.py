"""Publish: make searchable what is committed, early at first, then in steps that keep the total work linear."""

from __future__ import annotations

from search.library import Library
from search.publishing import publish
from search.vectors.generations import active_generation

_FIRST = 256
"""Pictures until the first publication: a new library answers within seconds."""

_GROWTH = 0.5
"""Publish again when this share of what is published has come in addition: the total work stays linear."""


class PublishStage:
    """Publishes the pictures of a run.

    Args:
        library: with the lock held.
        model_id: whose vectors are published.
    """

    def __init__(self, library: Library, model_id: int) -> None:
        self._library = library
        self._model_id = model_id
        self._published = 0
        self._since = 0

    def added(self, pictures: int) -> bool:
        """Count new vectors; whether it is time to publish."""
        self._since += pictures
        return self._since >= max(_FIRST, self._published * _GROWTH)

    def run(self) -> None:
        """Publish everything."""
        publish(self._library, self._model_id)
        with self._library.read() as session:
            active = active_generation(session, self._model_id, "image")
            self._published = active.vectors if active else 0
        self._since = 0

"""The stored vectors of pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from search.encoder import nothing_indexed
from search.errors import NotFoundError
from search.library import Library
from search.snapshot import take_snapshot
from vision.types import Embeddings


def picture_vectors(library: Library, image_ids: Sequence[int]) -> Embeddings:
    """`(n, dim)` float32, L2-normalised, in the order of the ids.

    Raises:
        LibraryEmptyError: nothing has been indexed yet.
        NotFoundError: a picture is not of this library, or not searchable yet.
    """
    with library.read() as session:
        snapshot = take_snapshot(library, session)
        if snapshot is None:
            raise nothing_indexed()
        rows = snapshot.catalogue.rows_of_images(np.array(image_ids, np.int64))
        if (rows < 0).any():
            raise NotFoundError(f"there is no picture {image_ids[int(np.argmax(rows < 0))]} in this library")
        vectors = snapshot.catalogue.image_vectors[rows]
        if (vectors == 0).any():
            raise NotFoundError(f"picture {image_ids[int(np.argmax(vectors == 0))]} has no vector yet")
        return snapshot.images.vectors(vectors)

"""Decode: turn jobs into small pictures in child processes, but for copies of what the library knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from indexer.inlets import Inlets
from indexer.stages.jobs import Job
from search.db.facts import lacks_facts
from search.db.images import image_with_vector, sizes_of_images
from search.db.schema import Image
from search.library import Library
from search.previews import GALLERY_PX
from vision.images import Decoded, DecodeRequest, DecoderPool, Refused
from vision.preprocessing import Preprocessing

_LOOKED_UP = 256
"""Jobs whose sizes are looked up in one statement."""


@dataclass(frozen=True, slots=True)
class Known:
    """A file whose bytes are those of a picture with a vector: only the file is to be noted.

    Attributes:
        unaltered: whether it held this very picture before.
    """

    job: Job
    image_id: int
    unaltered: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decoder says of a job.

    Attributes:
        again: whether the picture has a vector, and was decoded for what an older version did not read.
    """

    job: Job
    answer: Decoded | Refused
    again: bool = False


class DecodeStage:
    """Decodes the jobs of a run.

    Args:
        library: knows which contents have a vector.
        inlets: know where the bytes are.
        model_id: of the model that counts.
        preprocessing: of its encoder.
        rescan: decode again what an older version knows less of.
    """

    def __init__(
        self, library: Library, inlets: Inlets, model_id: int, preprocessing: Preprocessing, *, rescan: bool
    ) -> None:
        self._library = library
        self._inlets = inlets
        self._model_id = model_id
        self._preprocessing = preprocessing
        self._rescan = rescan
        self._waiting: dict[str, tuple[Job, bool]] = {}
        self._copies: list[Known] = []

    def run(self, jobs: Iterable[Job], pool: DecoderPool) -> Iterator[Outcome | Known]:
        """Decode in parallel; outcomes come in the order of the jobs, and what needs no decoding whenever it is found.

        Raises:
            DecoderError: the decoding process itself does not start.
        """
        for answer in pool.map(self._requests(jobs)):
            yield from self._found()
            job, again = self._waiting.pop(answer.path)
            yield Outcome(job, answer, again)
        yield from self._found()

    def _found(self) -> Iterator[Known]:
        found, self._copies = self._copies, []
        yield from found

    def _requests(self, jobs: Iterable[Job]) -> Iterator[DecodeRequest]:
        source = iter(jobs)
        while some := list(islice(source, _LOOKED_UP)):
            with self._library.read() as session:
                sizes = sizes_of_images(session, {job.fact.size_bytes for job in some})
            for job in some:
                # A file of another size cannot be a copy of a known picture.
                may_be_known = job.before is not None or job.fact.size_bytes in sizes
                known, again = self._known(job) if may_be_known else (None, False)
                if known is not None:
                    self._copies.append(known)
                    continue
                self._waiting[job.fact.path] = job, again
                yield DecodeRequest.of(self._inlets.original(job.fact), self._preprocessing, GALLERY_PX)

    def _known(self, job: Job) -> tuple[Known | None, bool]:
        """The picture whose bytes the file holds; and whether it is to be decoded again all the same."""
        sha256 = self._inlets.sha256(job.fact)
        with self._library.read() as session:
            image_id = None if sha256 is None else image_with_vector(session, sha256, self._model_id)
            image = None if image_id is None else session.get_one(Image, image_id)
        if image is None:
            return None, False
        unaltered = job.before is not None and job.before.image_id == image.id
        if unaltered and self._rescan and lacks_facts(image):
            return None, True  # The decoder tells what an older library does not know.
        return Known(job, image.id, unaltered), False

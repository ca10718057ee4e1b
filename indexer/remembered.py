"""What a library remembers of folders, files and archives, a page at a time: what a scan holds the disk against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from search.db.archives import ArchiveFact, count_members, known_archives
from search.db.chunks import chunks
from search.db.images import KnownFile, files_at, files_below, holds_below
from search.library import Library

_PAGE = 2_000
"""Remembered files per statement."""


class LibraryMemory:
    """What a library remembers at or below a folder, or of a fetched picture; fulfils `indexer.scan.Memory`."""

    def __init__(self, library: Library, start: str, model_id: int) -> None:
        self._library = library
        self._start = start
        self._model_id = model_id

    def at(self, paths: Sequence[str]) -> Mapping[str, KnownFile]:
        """Look up files, by path."""
        with self._library.read() as session:
            return files_at(session, paths, self._model_id)

    def below(self) -> Iterator[KnownFile]:
        """Yield every file, once."""
        yield from self.at([self._start]).values()
        yield from _below(self._library, self._start, self._model_id)

    def holds_below(self, folder: str) -> bool:
        """Whether files below this folder are remembered."""
        with self._library.read() as session:
            return holds_below(session, folder)


class FilesMemory(LibraryMemory):
    """The same of single files, wherever they lie."""

    def __init__(self, library: Library, paths: Sequence[str], model_id: int) -> None:
        super().__init__(library, "", model_id)
        self._paths = paths

    def below(self) -> Iterator[KnownFile]:
        """Yield every file, once."""
        for some in chunks(self._paths, _PAGE):
            yield from self.at(some).values()


class MembersMemory:
    """What a library remembers of archives; fulfils `indexer.archives.Memory`."""

    def __init__(self, library: Library, model_id: int) -> None:
        self._library = library
        self._model_id = model_id

    def archive(self, path: str) -> ArchiveFact | None:
        """An archive as it was read before."""
        with self._library.read() as session:
            return known_archives(session, path).get(path)

    def count(self, path: str) -> int:
        """How many files lie in it."""
        with self._library.read() as session:
            return count_members(session, path)

    def members(self, path: str) -> Iterator[KnownFile]:
        """Yield them."""
        for file in _below(self._library, path, self._model_id):
            if file.held is not None and file.state != "missing":
                yield file


def _below(library: Library, folder: str, model_id: int) -> Iterator[KnownFile]:
    after = ""
    while True:
        with library.read() as session:
            page = files_below(session, folder, model_id, after=after, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].path

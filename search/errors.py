"""Errors of the engine: what a person did wrong or what the library cannot do, with the remedy."""

from vision.errors import DeixisError
from vision.faults import SystemFaultError


class SettingsError(DeixisError):
    """A setting has a value that makes no sense."""


class LibraryError(DeixisError):
    """The library on disk cannot be used as it is."""


class LibraryFaultError(LibraryError, SystemFaultError):
    """The disk, the file system or the database server refuses: full, read-only, unreachable, …; says which."""


class LibraryEmptyError(LibraryError):
    """Nothing has been indexed yet."""


class LibraryBusyError(LibraryError):
    """Another process is writing to this library."""


class ModelMismatchError(LibraryError):
    """The encoder at hand is not the one that made the vectors of this library."""


class CorruptionError(LibraryError):
    """A file on disk disagrees with its checksum or with the database."""


class QueryError(DeixisError):
    """The query cannot be answered as asked."""


class NotFoundError(DeixisError):
    """There is no such thing in the library."""


class ImportFormatError(DeixisError):
    """An annotation file does not say what its format promises."""


class ExportFormatError(DeixisError):
    """The files of an exported library are damaged, foreign, newer, or say what no library can hold."""

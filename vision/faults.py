"""What the operating system objects to, in words: one table from `errno` to a kind of fault and its remedy."""

from __future__ import annotations

import errno
import os
from enum import Enum

from vision.errors import DeixisError


class Fault(Enum):
    """A way in which the machine, and not Deixis or its user's data, is in the way."""

    DISK_FULL = "disk-full"
    READ_ONLY = "read-only"
    PERMISSION = "permission"
    IO = "io-error"
    TOO_MANY_FILES = "too-many-files"
    NO_MEMORY = "no-memory"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    GONE = "gone"
    NAME_TOO_LONG = "name-too-long"
    OTHER = "system"


REMEDIES = {
    Fault.DISK_FULL: "Free some space, or raise the quota, then run the command again; nothing is half-written.",
    Fault.READ_ONLY: "It can be searched and served as it is; to change it, mount it writable or choose another place.",
    Fault.PERMISSION: "Give this user the rights to it, or run the command as the user whose it is.",
    Fault.IO: "Look into the system's log and check disk, cable and network share; then run `deixis verify`.",
    Fault.TOO_MANY_FILES: "Close other programs, or raise the limit on open files (`ulimit -n`), then try again.",
    Fault.NO_MEMORY: "Close other programs, or give this one more memory, then try again.",
    Fault.BUSY: "Another program is using it; wait for it to finish, then try again.",
    Fault.UNREACHABLE: "Check that it runs and that this machine can reach it, then try again.",
    Fault.GONE: "Its drive or network share has gone away; connect it again, then run the command again.",
    Fault.NAME_TOO_LONG: "Choose a shorter name or a folder nearer to the root.",
    Fault.OTHER: "Check the path and the disk it lies on, then run the command again.",
}
"""What to do about each kind of fault where nothing more particular is known."""

_BY_ERRNO = {
    Fault.DISK_FULL: ("ENOSPC", "EDQUOT", "EFBIG"),
    Fault.READ_ONLY: ("EROFS",),
    Fault.PERMISSION: ("EACCES", "EPERM"),
    Fault.IO: ("EIO", "EREMOTEIO", "EUCLEAN", "EBADMSG", "EMEDIUMTYPE", "ENOMEDIUM"),
    Fault.TOO_MANY_FILES: ("EMFILE", "ENFILE", "EMLINK"),
    Fault.NO_MEMORY: ("ENOMEM", "EAGAIN", "ENOBUFS"),
    Fault.BUSY: ("EBUSY", "ETXTBSY", "EDEADLK", "ENOLCK"),
    Fault.UNREACHABLE: (
        *("ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "ETIMEDOUT", "EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH"),
        *("ENETDOWN", "EPIPE", "EADDRNOTAVAIL"),
    ),
    Fault.GONE: ("ESTALE", "ENOTCONN", "ENODEV", "ENXIO", "ESHUTDOWN"),
    Fault.NAME_TOO_LONG: ("ENAMETOOLONG",),
}
_FAULTS = {getattr(errno, name): fault for fault, names in _BY_ERRNO.items() for name in names if hasattr(errno, name)}
_MISSING = {errno.ENOENT, errno.ENOTDIR}


class SystemFaultError(DeixisError):
    """The operating system, a disk, a network share or a database server refuses; no picture and no code is to blame.

    Attributes:
        fault: what kind of refusal it is.
    """

    def __init__(self, message: str, *, fault: Fault, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy or REMEDIES[fault])
        self.fault = fault


def fault_of(error: BaseException) -> Fault | None:
    """The kind of a system's refusal; None for what is none, such as an error that only looks like an `OSError`."""
    if isinstance(error, SystemFaultError):
        return error.fault
    if isinstance(error, MemoryError):
        return Fault.NO_MEMORY
    if not isinstance(error, OSError):
        return None
    if error.errno is None:  # libraries derive errors of their own from OSError; those of the network are system's
        return Fault.UNREACHABLE if isinstance(error, (ConnectionError, TimeoutError)) else None
    return _FAULTS.get(error.errno, Fault.OTHER)


def explain_fault(error: OSError | MemoryError, doing: str = "") -> SystemFaultError | None:
    """The refusal as an error of this house; None where it is no refusal of the system.

    Args:
        error: as it was raised.
        doing: what could not be done, such as `Cannot write /a/b`; the path is named anyway where the error has one.
    """
    fault = fault_of(error)
    if fault is None:
        return None
    if isinstance(error, MemoryError):
        return SystemFaultError(doing or "There is not enough memory", fault=fault)
    remedy = "Check that it is there." if error.errno in _MISSING else ""
    path = _path_of(error)
    said = error.strerror or str(error) or type(error).__name__
    begin = doing if path in doing else f"{doing} ({path})" if doing else path
    return SystemFaultError(f"{begin}: {said}" if begin else said, fault=fault, remedy=remedy)


def _path_of(error: OSError) -> str:
    names = [name for name in (error.filename, error.filename2) if isinstance(name, (str, bytes, os.PathLike))]
    return " to ".join(os.fsdecode(name) for name in names)

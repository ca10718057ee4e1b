"""Every refusal of the operating system has a kind, names its path and says what to do."""

from __future__ import annotations

import errno
import os

import pytest
from PIL import UnidentifiedImageError

from vision.faults import REMEDIES, Fault, SystemFaultError, explain_fault, fault_of


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (errno.ENOSPC, Fault.DISK_FULL),
        (errno.EDQUOT, Fault.DISK_FULL),
        (errno.EROFS, Fault.READ_ONLY),
        (errno.EACCES, Fault.PERMISSION),
        (errno.EPERM, Fault.PERMISSION),
        (errno.EIO, Fault.IO),
        (errno.EMFILE, Fault.TOO_MANY_FILES),
        (errno.ENFILE, Fault.TOO_MANY_FILES),
        (errno.ENOMEM, Fault.NO_MEMORY),
        (errno.ECONNREFUSED, Fault.UNREACHABLE),
        (errno.ESTALE, Fault.GONE),
        (errno.ENOTCONN, Fault.GONE),
        (errno.ENAMETOOLONG, Fault.NAME_TOO_LONG),
        (errno.ETXTBSY, Fault.BUSY),
    ],
)
def test_a_number_of_the_system_has_its_kind_and_a_remedy(number: int, fault: Fault) -> None:
    told = explain_fault(OSError(number, os.strerror(number), "/a/b"), "Cannot write /a/b")
    assert told is not None
    assert told.fault is fault
    assert told.args[0] == f"Cannot write /a/b: {os.strerror(number)}"
    assert told.remedy == REMEDIES[fault]


def test_every_number_of_the_system_is_told_in_words() -> None:
    for number in errno.errorcode:
        told = explain_fault(OSError(number, os.strerror(number), "/a", None, "/b"))
        assert told is not None
        assert str(told).startswith("/a to /b: ")
        assert told.remedy


def test_a_missing_file_is_named_with_its_remedy() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        os.stat(b"/no/such\xff")
    told = explain_fault(caught.value)
    assert told is not None
    assert told.args[0] == os.fsdecode(b"/no/such\xff") + ": No such file or directory"
    assert "is there" in told.remedy


def test_errors_that_only_look_like_the_system_s_are_none() -> None:
    assert explain_fault(UnidentifiedImageError("not a picture")) is None
    assert fault_of(ValueError("x")) is None
    assert fault_of(ConnectionError("the hub is gone")) is Fault.UNREACHABLE
    assert fault_of(MemoryError()) is Fault.NO_MEMORY
    assert fault_of(SystemFaultError("x", fault=Fault.IO)) is Fault.IO


def test_every_kind_has_a_remedy() -> None:
    assert set(REMEDIES) == set(Fault)

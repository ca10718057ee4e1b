"""Does the home hold what belongs there: no file that was being written when its process died, a lock that is one."""

from __future__ import annotations

import stat
from pathlib import Path

from search.checks.finding import VerifyReport
from search.locks.home import LOCK_FILE, lane_file
from vision.whole_files import is_unfinished


def check_home(home: Path, report: VerifyReport) -> None:
    """Look at what lies in the home itself; segments, generations and previews are checked with their rows."""
    for path in sorted(home.iterdir()):
        if is_unfinished(path):
            report.add("unfinished_file", path.name, "was being written when its process ended")
    for lock in [home / LOCK_FILE, *sorted(home.glob(lane_file(home, "*").name))]:
        if (lock.exists() or lock.is_symlink()) and not stat.S_ISREG(lock.lstat().st_mode):
            report.add("lock_file", lock.name, "is no file")

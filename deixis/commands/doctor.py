"""`deixis doctor`: what this installation has to work with, what is wrong with it, and how to mend that."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.examination import Asked, examine, is_wrong
from deixis.options import DatabaseUrl, Home, Json
from deixis.output import out, print_json, printable

_MARKS = {"ok": "ok", "warning": "note", "wrong": "WRONG"}


def doctor(
    thorough: Annotated[bool, typer.Option("--thorough", help="Load and compare the library's encoder, too.")] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Look at everything that Deixis needs; change nothing.

    Exit code 0: all is well, or worth a note. 1: something is wrong, and the line below it says how to mend it.
    """
    checks = examine(Asked(home, database_url, thorough))
    if json:
        print_json({"ok": not is_wrong(checks), "checks": [asdict(check) for check in checks]})
        return exit_codes.ERROR if is_wrong(checks) else exit_codes.OK
    console = out()
    for check in checks:
        console.print(f"{_MARKS[check.state]:<5} {check.name}: {printable(check.said)}")
        for line in check.remedy.splitlines():
            console.print(f"      {printable(line)}")
    count = sum(check.state == "wrong" for check in checks)
    console.print("all is well" if not count else f"{count} wrong")
    return exit_codes.ERROR if count else exit_codes.OK

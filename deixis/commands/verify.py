"""`deixis verify`: prove that database, segments and index agree."""

from __future__ import annotations

from collections import Counter

from deixis import exit_codes
from deixis.context import open_library, read_settings
from deixis.options import DatabaseUrl, Home, Json
from deixis.output import err, out, print_json, printable
from search import maintenance
from search.checks.finding import VerifyReport

_LISTED = 20
"""Findings of one kind that are shown; --json has all of them."""


def verify(
    home: Home = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Check every checksum and every reference; exit code 1 when something does not agree."""
    settings = read_settings(home=home, database_url=database_url)
    with open_library(settings) as library:
        report = maintenance.verify(library)
    if json:
        print_json({"clean": report.clean, "findings": report.findings, "checked": report.checked})
        return exit_codes.ERROR if report.findings else exit_codes.OK
    print_findings(report)
    checked = ", ".join(f"{count} {what}" for what, count in report.checked.items())
    out().print(f"checked {checked}: " + (f"{len(report.findings)} findings" if report.findings else "all agree"))
    return exit_codes.ERROR if report.findings else exit_codes.OK


def print_findings(report: VerifyReport) -> None:
    """Name what is wrong, each with its remedy; whatever a damaged row holds is shown, not obeyed."""
    shown: Counter[str] = Counter()
    for finding in report.findings:
        shown[finding.code] += 1
        if shown[finding.code] > _LISTED:
            continue
        err().print(f"{finding.code}: {printable(finding.where)}: {printable(finding.message)}\n  {finding.remedy}")
    for code, count in shown.items():
        if count > _LISTED:
            err().print(f"{code}: … and {count - _LISTED} more; --json lists them all")

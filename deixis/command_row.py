"""What is said of a command before anything else is imported: a row each."""

from __future__ import annotations

from dataclasses import dataclass

_MEANINGS = {
    0: "done",
    1: "it could not be done, or something is wrong",
    2: "misuse of the command line",
    3: "done, but something was left out",
    130: "interrupted; what was finished is kept",
}
EXIT_CODES_PAGE = "docs/exit-codes.md"


@dataclass(frozen=True, slots=True)
class CommandRow:
    """One command.

    Attributes:
        name: as it is typed, with its group.
        target: `module:function`; the module alone for a group.
        summary: what it is for, in one line.
        examples: whole command lines that can be pasted.
        codes: exit codes that it can end with, besides 1, 2 and 130, which every command has.
    """

    name: str
    target: str
    summary: str
    examples: tuple[str, ...] = ()
    codes: tuple[int, ...] = (0,)

    @property
    def epilog(self) -> str:
        """What stands below the options: examples and exit codes, kept in their lines."""
        codes = sorted({*self.codes, 1, 2, 130})
        shown = ", ".join(f"{code} {_MEANINGS[code]}" for code in codes)
        examples = "\n".join(f"  {line}" for line in self.examples)
        return f"\b\nExamples:\n{examples}\n\nExit codes ({EXIT_CODES_PAGE}): {shown}."


def row_of(name: str, target: str, summary: str, *examples: str, partial: bool = False) -> CommandRow:
    """Make a row; `target` lies in `deixis.commands`, and `partial` says that something may be left out."""
    return CommandRow(name, f"deixis.commands.{target}", summary, examples, (0, 3) if partial else (0,))

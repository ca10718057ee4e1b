"""The command line's frame: one app, one place where errors become exit codes."""

from __future__ import annotations

import typer

from deixis import exit_codes, stopping
from deixis.commands import (
    caption,
    classify,
    demo,
    evaluate,
    explain,
    export,
    imports,
    index,
    models,
    quality,
    rebuild,
    search,
    serve,
    status,
    verify,
)
from deixis.ending import Frame, end_of

app = typer.Typer(
    name="deixis",
    cls=Frame,
    help="Search your pictures in your own words, and see where in the picture the answer is.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("index")(index.index)
app.command("import")(imports.import_)
app.command("caption")(caption.caption)
app.command("search")(search.search)
app.command("explain")(explain.explain)
app.command("export")(export.export)
app.command("quality")(quality.quality)
app.command("classify")(classify.classify)
app.command("serve")(serve.serve)
app.command("status")(status.status)
app.command("verify")(verify.verify)
app.command("rebuild")(rebuild.rebuild)
app.command("demo")(demo.demo)
app.add_typer(evaluate.app, name="eval")
app.add_typer(models.app, name="models")


def run(arguments: list[str] | None = None) -> int:
    """Run one command line; returns the exit code.

    Args:
        arguments: without the program's name; None for the process's own.
    """
    try:
        code = app(args=arguments, standalone_mode=False)
    except BaseException as error:
        return end_of(error)
    if code == exit_codes.INTERRUPTED and stopping.was_asked():  # before the command began; typer keeps that to itself
        return end_of(KeyboardInterrupt())
    return code if isinstance(code, int) else exit_codes.OK

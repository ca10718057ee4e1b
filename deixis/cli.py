"""The command line's frame: one app, one place where errors become exit codes."""

from __future__ import annotations

import sys
import traceback

import typer
from rich.console import Console

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
from vision.errors import DeixisError

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_PARTIAL = 3
"""The work was done, but something was left out; the output says what and why."""
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="deixis",
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
    except DeixisError as error:
        Console(stderr=True).print(f"deixis: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return EXIT_ERROR
    except KeyboardInterrupt:
        sys.stderr.write("deixis: stopped; what was finished is kept\n")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return EXIT_OK  # Whoever read our output has read enough.
    except Exception as error:
        shown = getattr(error, "show", None)
        if shown is not None:  # A usage error of the command line, with its own message and exit code 2.
            shown()
            return int(getattr(error, "exit_code", 2))
        traceback.print_exc()
        sys.stderr.write("deixis: this is a defect; please report it with the lines above\n")
        return EXIT_ERROR
    return code if isinstance(code, int) else EXIT_OK

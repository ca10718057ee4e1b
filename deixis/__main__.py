"""`python -m deixis` and the `deixis` script."""

import sys

from deixis import exit_codes, stopping, streams, unforeseen


def main() -> None:
    """Run the command line and leave with its exit code."""
    stopping.before_work()
    streams.prepare()
    # Only here: imports take a second, in which Ctrl-C must not end in a traceback.
    try:
        from deixis.cli import run  # noqa: PLC0415
        from deixis.ending import end_of  # noqa: PLC0415
    except (OSError, MemoryError) as error:
        sys.stderr.write(f"deixis: its own files cannot be read: {error or 'there is not enough memory'}\n")
        sys.exit(exit_codes.ERROR)
    except Exception as error:
        unforeseen.tell(error)
        sys.exit(exit_codes.ERROR)

    stopping.during_work()
    code = run()
    try:
        streams.finish()
    except streams.OutputError as error:
        code = end_of(error)
    stopping.after_work()
    sys.exit(code)


if __name__ == "__main__":
    main()

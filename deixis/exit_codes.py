"""What `deixis` answers to the shell; docs/exit-codes.md says the same to people."""

OK = 0
"""Everything that was asked for is done."""

ERROR = 1
"""It could not be done, or `verify` found something; the error stream says what and what to do."""

USAGE = 2
"""The command line itself cannot be understood; nothing was begun."""

PARTIAL = 3
"""The work is done, but something was left out; the output says what and why."""

INTERRUPTED = 130
"""Stopped by Ctrl-C (SIGINT); what was finished is kept."""

TERMINATED = 143
"""Stopped by SIGTERM; what was finished is kept."""

"""How the server writes its log: one line an event, in words or as JSON, whatever strange signs clients send."""

from __future__ import annotations

import json
import logging
import multiprocessing
import time
from contextvars import ContextVar
from datetime import UTC, datetime

FORMATS = ("text", "json")
LEVELS = ("debug", "info", "warning", "error", "critical")
_COLLECTED_S = 0.5
_LOGGERS = ("_granian", "web", "search", "vision")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that this thread or task works for; empty where it works for none."""


def printable(text: str) -> str:
    """The text with everything escaped that could end a line, steer a terminal or turn the order of signs."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape", "surrogatepass").decode() for sign in text
    )


class TextFormatter(logging.Formatter):
    """`time LEVEL logger: message [request]`; a stack trace follows in lines that begin with a bar."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one event."""
        number = request_id.get()
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {printable(record.getMessage())}"
        lines = [f"{line} [{number}]" if number else line]
        if record.exc_info:
            lines += [f"  | {printable(part)}" for part in self.formatException(record.exc_info).split("\n")]
        return "\n".join(lines)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`, `request`, `trace`, and what an access line has."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one event."""
        event: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        access = getattr(record, "access", None)
        event |= access if isinstance(access, dict) else {"message": record.getMessage()}
        if number := request_id.get():
            event["request"] = number
        if record.exc_info:
            event["trace"] = self.formatException(record.exc_info)
        return json.dumps(event, default=str)  # ASCII: nothing in it can end a line


class TrulyKilled(logging.Filter):
    """Holds back the server's word that it kills a process, where that process has ended already.

    Two threads of the server wait for the same process; the one that did not collect it takes it for alive a moment.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write this event: any but a killing that is none."""
        if not record.getMessage().startswith("Killing worker"):
            return True
        before = len(multiprocessing.active_children())
        deadline = time.monotonic() + _COLLECTED_S
        while time.monotonic() < deadline:
            if len(multiprocessing.active_children()) < max(1, before):
                return False
            time.sleep(0.01)
        return True


def logging_config(level: str, form: str) -> dict[str, object]:
    """The configuration of `logging.config.dictConfig` for a server.

    Args:
        level: one of `LEVELS`.
        form: one of `FORMATS`.
    """
    formatter = "web.logs.JsonFormatter" if form == "json" else "web.logs.TextFormatter"
    handler = {
        "class": "logging.StreamHandler",
        "formatter": "line",
        "filters": ["killed"],
        "stream": "ext://sys.stderr",
    }
    own = {"handlers": ["stderr"], "level": level.upper(), "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "filters": {"killed": {"()": "web.logs.TrulyKilled"}},
        "handlers": {"stderr": handler},
        "loggers": dict.fromkeys(_LOGGERS, own),
    }

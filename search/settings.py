"""Every setting of Deixis, read once by an entry point and passed down as plain values."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from search.errors import SettingsError
from vision.archives.member import ArchiveLimits

PREFIX = "DEIXIS_"
_TEXTS = (
    *("database_url", "model", "backend", "precision", "captioner", "host", "allowed_hosts", "url_allow"),
    *("trusted_proxies", "trusted_user_header", "trusted_user_scope", "root_path", "cors_origins", "rate_limits"),
    *("key", "log_level", "log_format"),
)
_CHOICES = {"log_level": ("debug", "info", "warning", "error", "critical"), "log_format": ("text", "json")}
_FLOATS = ("decode_timeout_s", "url_timeout_s")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings with their defaults; each is `DEIXIS_<NAME>` in the environment and documented in docs/settings.md.

    Attributes:
        home: folder that holds database, vectors, previews; created by `index`.
        database_url: SQLAlchemy URL; None means SQLite inside `home`.
        model: preset, folder or cached hub id of the encoder; None means the library's own, or the default preset.
        backend: what computes the encoder: `transformers`, `onnx`, `openvino`, or `auto` for the fastest faithful one;
            None means the library's own, for a new library `auto` where the model is large.
        precision: of the encoder: `float32`, `bfloat16`, `float16` or `int8`; None means the library's own.
        captioner: preset, folder or cached hub id of the captioner; None means that `serve` answers no questions.
        host: address that `serve` binds.
        port: TCP port that `serve` binds; 0 is refused because nobody could find it.
        allowed_hosts: names accepted in the Host header beside the server's own, comma-separated; `*` accepts any.
        open: 1 lets whoever reaches an address beyond this machine search without a key.
        trusted_proxies: networks whose `X-Forwarded-*` headers are believed, comma-separated, in CIDR form.
        trusted_user_header: header in which a trusted proxy names whom it has let in; None means that none does.
        trusted_user_scope: what such people may do: `read`, `search`, `jobs` or `admin`.
        show_paths: 1 shows whole paths to everybody, not only to this machine and to keys of the scope `admin`.
        root_path: where a proxy has put this server, such as `/pictures`; None means at the top.
        cors_origins: origins whose pages may ask with a key, comma-separated; None means none.
        rate_limits: `class=per_second/burst`, comma-separated, over the defaults; `off` for none at all.
        key: what `deixis mcp` may do over its pipes; None lets it search.
        threads: compute threads of the encoder; 0 means one per core that this process may use.
        decode_workers: child processes that decode; 0 means one per core that this process may use.
        max_pixels: a larger picture is refused before it is decoded.
        max_expansion: a picture above 40 million pixels that takes more than so many times its file's bytes is refused.
        max_file_bytes: a larger file is refused before it is read.
        max_archive_bytes: a compressed tar file is read no further than to so many expanded bytes.
        fetch_urls: 1 lets `index --from-urls` fetch pictures; 0 means that nothing of Deixis fetches any.
        url_allow: networks that pictures may be fetched from though they are private, comma-separated, in CIDR form.
        url_max_bytes: a larger picture is not fetched.
        url_timeout_s: wall-clock seconds that fetching one picture may take.
        decode_timeout_s: wall-clock seconds that one picture may take.
        decode_memory_bytes: address space of one decoding child.
        upload_bytes: largest picture accepted over HTTP.
        workers: processes of `serve`; each loads the model.
        log_level: of `serve`: `debug`, `info` (with a line for every request), `warning`, `error` or `critical`.
        log_format: of `serve`: `text` or `json`.
    """

    home: Path
    database_url: str | None = None
    model: str | None = None
    backend: str | None = None
    precision: str | None = None
    captioner: str | None = None
    host: str = "127.0.0.1"
    port: int = 8484
    allowed_hosts: str | None = None
    open: int = 0
    trusted_proxies: str | None = None
    trusted_user_header: str | None = None
    trusted_user_scope: str = "search"
    show_paths: int = 0
    root_path: str | None = None
    cors_origins: str | None = None
    rate_limits: str | None = None
    key: str | None = None
    threads: int = 0
    decode_workers: int = 0
    max_pixels: int = 1_000_000_000
    max_expansion: int = 400
    max_file_bytes: int = 512 * 1024 * 1024
    max_archive_bytes: int = 256 * 1024**3
    fetch_urls: int = 0
    url_allow: str | None = None
    url_max_bytes: int = 64 * 1024 * 1024
    url_timeout_s: float = 60.0
    decode_timeout_s: float = 60.0
    decode_memory_bytes: int = 1536 * 1024 * 1024
    upload_bytes: int = 32 * 1024 * 1024
    workers: int = 1
    log_level: str = "warning"
    log_format: str = "text"

    @property
    def compute_threads(self) -> int:
        """Threads to give the encoder, at least 1."""
        return self.threads or available_cores()

    @property
    def archive_limits(self) -> ArchiveLimits:
        """What reading an archive may cost."""
        return ArchiveLimits(self.max_file_bytes, self.max_expansion, self.max_archive_bytes)

    @property
    def decoders(self) -> int:
        """Decoding children to start, at least 1."""
        return self.decode_workers or available_cores()


def available_cores() -> int:
    """Cores that this process may run on: what a container was given, not what the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def load_settings(environ: Mapping[str, str], **flags: Any) -> Settings:
    """Combine defaults, `DEIXIS_*` variables and command-line flags; a flag that is not None wins.

    Raises:
        SettingsError: a value is not of its setting's kind or range, or a `DEIXIS_*` variable names no setting.
    """
    known = {field.name for field in fields(Settings)}
    settings = Settings(home=user_data_path("deixis", appauthor=False))
    given: dict[str, Any] = {}
    for variable, raw in environ.items():
        if not variable.startswith(PREFIX) or raw == "":
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in known:
            raise SettingsError(
                f"{variable} is not a setting of Deixis",
                remedy="The settings are: " + ", ".join(sorted(PREFIX + field.upper() for field in known)),
            )
        given[name] = _parse(variable, name, raw)
    given.update({name: value for name, value in flags.items() if value is not None})
    settings = replace(settings, **given)
    _check(settings)
    try:
        home = settings.home.expanduser().absolute()
    except (RuntimeError, OSError) as error:  # ~ of a user that this machine does not know; a deleted working folder
        raise SettingsError(f"DEIXIS_HOME is {settings.home}: {error}", remedy="Give a whole path.") from error
    return replace(settings, home=home)


def _parse(variable: str, name: str, raw: str) -> Any:
    kind = Path if name == "home" else str if name in _TEXTS else float if name in _FLOATS else int
    try:
        return kind(raw)
    except ValueError as error:
        expected = {int: "a whole number", float: "a number"}[kind]
        raise SettingsError(f"{variable} is {raw!r}", remedy=f"It must be {expected}.") from error


def _check(settings: Settings) -> None:
    ranges: dict[str, tuple[float, float]] = {
        "port": (1, 65535),
        "open": (0, 1),
        "show_paths": (0, 1),
        "threads": (0, 1024),
        "decode_workers": (0, 1024),
        "max_pixels": (1, 2**31),
        "max_expansion": (1, 2**31),
        "max_file_bytes": (1, 2**40),
        "max_archive_bytes": (1, 2**50),
        "fetch_urls": (0, 1),
        "url_max_bytes": (1, 2**40),
        "url_timeout_s": (0.1, 86_400),
        "decode_timeout_s": (0.1, 86_400),
        "decode_memory_bytes": (256 * 1024 * 1024, 2**40),
        "upload_bytes": (1, 2**32),
        "workers": (1, 64),
    }
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise SettingsError(
                f"{PREFIX}{name.upper()} is {value}", remedy=f"It must lie between {low:g} and {high:g}."
            )
    for name, words in _CHOICES.items():
        if getattr(settings, name) not in words:
            raise SettingsError(
                f"{PREFIX}{name.upper()} is {getattr(settings, name)!r}", remedy=f"It must be {', '.join(words)}."
            )

"""Fixtures for every room: the shared test data, both databases, a fresh library on each."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from search.db.session import Database, settle_journal
from search.db.session import database_url as parse_url
from search.db.upgrade import upgrade
from search.library import Library

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Real photographs and models that live beside the checkout on some machines."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the test data in ../shared")
    return folder


@pytest.fixture(scope="session")
def photos_dir(shared_dir: Path) -> Path:
    """103 photographs with captions, boxes and groundings."""
    return _existing(shared_dir / "data" / "photos")


@pytest.fixture(scope="session")
def robustness_dir(shared_dir: Path) -> Path:
    """Awkward and hostile image files."""
    return _existing(shared_dir / "data" / "robustness")


@pytest.fixture(scope="session")
def photo_tiny_dir(shared_dir: Path) -> Path:
    """A small real dual encoder in the hub's ONNX layout."""
    return _existing(shared_dir / "models" / "photo-tiny")


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        pytest.skip(f"needs the test data in ../{folder.relative_to(ROOT.parent)}")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the `library` of this test lives."""
    return tmp_path / "home"


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a table, on each kind of server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
    else:
        yield from request.getfixturevalue("postgres_cluster").database(template="template0")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, home: Path) -> Iterator[str]:
    """A migrated, empty database on each kind of server; belongs to `home` once `Library.open` has seen both."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_database_url")
    else:
        yield from request.getfixturevalue("postgres_cluster").database(template=TEMPLATE)


@pytest.fixture
def sqlite_database_url(sqlite_template: Path, home: Path) -> str:
    """A migrated, empty SQLite database in `home`."""
    home.mkdir(exist_ok=True)
    shutil.copyfile(sqlite_template, home / "deixis.db")
    return f"sqlite:///{home}/deixis.db"


@pytest.fixture
def library(home: Path, database_url: str) -> Iterator[Library]:
    """A fresh library, on SQLite and on Postgres."""
    with Library.open(home, database_url, create=True) as opened:
        yield opened


@pytest.fixture
def sqlite_library(home: Path, sqlite_database_url: str) -> Iterator[Library]:
    """A fresh library on SQLite alone, for tests in which the database plays no part."""
    with Library.open(home, sqlite_database_url, create=True) as opened:
        yield opened


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy, which is faster than migrating for every test."""
    path = tmp_path_factory.mktemp("template") / "deixis.db"
    _migrate(f"sqlite:///{path}")
    return path


def _migrate(url: str) -> None:
    database = Database(parse_url(Path(), url))
    settle_journal(database)
    upgrade(database)
    database.close()


TEMPLATE = "deixis_template"


@dataclass
class Cluster:
    """A real Postgres server of this test run, reachable through a socket in its own folder."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, name: str) -> str:
        """SQLAlchemy URL of one database."""
        return f"postgresql+psycopg://deixis@/{name}?host={self.folder}"

    def database(self, template: str) -> Iterator[str]:
        """A new database, dropped afterwards."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """Execute one statement outside of a transaction."""
        with psycopg.connect(host=str(self.folder), user="deixis", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A temporary Postgres server; skips where its programs are not installed."""
    binaries = _postgres_binaries()
    if binaries is None:
        pytest.skip("needs Postgres: initdb and postgres are neither in PATH nor in /usr/lib/postgresql")
    account = _account()
    # A short path of our own: a socket's path may have 107 bytes, and pytest's folders are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="deixis-", dir="/tmp"))
    try:
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        with _Running(binaries, folder, account):
            cluster = Cluster(folder)
            cluster.run(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
            _migrate(cluster.url(TEMPLATE))
            yield cluster
    finally:
        shutil.rmtree(folder)


class _Running:
    """A server process between `initdb` and a fast shutdown."""

    def __init__(self, binaries: Path, folder: Path, account: pwd.struct_passwd | None) -> None:
        self._binaries = binaries
        self._folder = folder
        self._account = account

    def __enter__(self) -> None:
        data = str(self._folder / "data")
        # Durability is what a server of a minute does without; the `C` locale is the hardest for non-English text.
        options = ["--auth=trust", "--username=deixis", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self._start([self._binaries / "initdb", "-D", data, *options]).wait(timeout=120)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._folder),
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": "200",
            "shared_buffers": "32MB",
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._server = self._start([self._binaries / "postgres", "-D", data, *flags])
        for _ in range(600):
            try:
                psycopg.connect(host=str(self._folder), user="deixis", dbname="postgres").close()
            except psycopg.OperationalError:
                try:
                    self._server.wait(timeout=0.1)
                except subprocess.TimeoutExpired:
                    continue
                break
            return
        raise RuntimeError(f"Postgres did not start:\n{(self._folder / 'log').read_text()}")

    def __exit__(self, *_: object) -> None:
        self._server.send_signal(2)  # SIGINT: a fast shutdown, which does not wait for clients.
        self._server.wait(timeout=60)

    def _start(self, command: list[str | Path]) -> subprocess.Popen[bytes]:
        who = {}
        if self._account is not None:
            who = {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        with open(self._folder / "log", "ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder, **who)


def _postgres_binaries() -> Path | None:
    """The folder of initdb and postgres: from PATH, from pg_config, or the newest where Debian puts them."""
    found: list[Path] = []
    for program in ("initdb", "pg_config"):
        path = shutil.which(program)
        if path is not None and program == "pg_config":
            said = subprocess.run([path, "--bindir"], capture_output=True, text=True, check=False)
            found.append(Path(said.stdout.strip()))
        elif path is not None:
            found.append(Path(path).resolve().parent)
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: folder.parent.name, reverse=True)
    for folder in found:
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    return None


def _account() -> pwd.struct_passwd | None:
    """Whom to run the server as: Postgres refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return pytest.skip("needs an account other than root to run Postgres")

"""The migrations make exactly the models, from either side, on both databases."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from search.captioning import list_generations, use_generations
from search.db.revisions import revisions
from search.db.schema import Base
from search.db.session import Database, database_url
from search.db.upgrade import MIGRATIONS, Form, form_of, require_form, upgrade
from search.errors import LibraryEmptyError, LibraryError
from search.library import Library

ROOT = Path(__file__).resolve().parents[3]
NEWEST = revisions(MIGRATIONS)[-1]


@pytest.fixture
def empty_database(empty_database_url: str) -> Iterator[Database]:
    opened = Database(database_url(Path(), empty_database_url))
    yield opened
    opened.close()


@pytest.fixture
def later_migrations(tmp_path: Path) -> Path:
    """The migrations of a version to come."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_later.py").write_text(
        f'from alembic import op\nrevision = "9999"\ndown_revision = "{NEWEST}"\n'
        'def upgrade():\n    op.execute("CREATE TABLE later (id INTEGER)")\n'
    )
    return folder


def _alembic(url: str, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DEIXIS_")}
    command = [sys.executable, "-W", "error", "-m", "alembic", "-c", str(ROOT / "alembic.ini"), *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment | {"DEIXIS_DATABASE_URL": url}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_alembic_command_line_upgrades_and_downgrades(empty_database_url: str, empty_database: Database) -> None:
    _alembic(empty_database_url, "upgrade", "head")
    assert form_of(empty_database) is Form.CURRENT
    assert NEWEST in _alembic(empty_database_url, "current")
    _alembic(empty_database_url, "downgrade", "base")
    _alembic(empty_database_url, "upgrade", "head")
    assert form_of(empty_database) is Form.CURRENT


def test_the_alembic_command_line_finds_nothing_to_add(empty_database_url: str) -> None:
    _alembic(empty_database_url, "upgrade", "head")
    assert "No new upgrade operations" in _alembic(empty_database_url, "check")


def test_migrations_make_exactly_the_models(empty_database: Database) -> None:
    upgrade(empty_database)
    with empty_database.read() as session:
        context = MigrationContext.configure(
            session.connection(),
            opts={
                "compare_server_default": True,
            },
        )
        assert compare_metadata(context, Base.metadata) == []


def test_an_empty_database_is_empty_and_becomes_current(empty_database: Database) -> None:
    assert form_of(empty_database) is Form.EMPTY
    upgrade(empty_database)
    upgrade(empty_database)
    assert form_of(empty_database) is Form.CURRENT


def test_a_library_of_the_first_form_keeps_its_files_and_learns_their_names(
    empty_database_url: str, empty_database: Database
) -> None:
    _alembic(empty_database_url, "upgrade", "0001")
    with empty_database.write() as session:
        session.execute(text("INSERT INTO roots (id, path) VALUES (1, :path)"), {"path": b"/p"})
        for number, name in enumerate(("Cafe\u0301.JPG", "STRASSE.png", "\u00e9t\u00e9.webp"), 1):
            row = {"id": number, "path": f"/p/{name}".encode(), "name": name}
            session.execute(
                text(
                    "INSERT INTO files (id, path, name, root_id, state, reason, size_bytes, mtime_ns, device, seen_at)"
                    " VALUES (:id, :path, :name, 1, 'refused', 'empty: Empty.', 1, 1, '1', '2024-05-01 00:00:00')"
                ),
                row,
            )
    _alembic(empty_database_url, "upgrade", "head")
    with empty_database.read() as session:
        keys = list(session.scalars(text("SELECT name_key FROM files ORDER BY id")))
    assert keys == ["caf\u00e9.jpg", "strasse.png", "\u00e9t\u00e9.webp"]


def test_names_are_in_the_order_of_their_bytes_whatever_the_form_before(
    empty_database_url: str, empty_database: Database
) -> None:
    _alembic(empty_database_url, "upgrade", "0003")
    names = ["\u00e9", "z", "_", "a", "\U0001f415", "\uff41"]
    with empty_database.write() as session:
        session.execute(text("INSERT INTO roots (id, path) VALUES (1, :path)"), {"path": b"/p"})
        for number, name in enumerate(names, 1):
            session.execute(
                text(
                    "INSERT INTO files (id, path, name, name_key, root_id, state, reason, size_bytes, mtime_ns, device,"
                    " seen_at) VALUES (:id, :path, :name, :name, 1, 'refused', 'empty: Empty.', 1, 1, '1',"
                    " '2024-05-01 00:00:00')"
                ),
                {"id": number, "path": f"/p/{name}".encode(), "name": name},
            )
    require_form(empty_database, Path(), create=True)
    with empty_database.read() as session:
        assert list(session.scalars(text("SELECT name_key FROM files ORDER BY name_key"))) == sorted(names)
        if empty_database.engine.dialect.name == "postgresql":
            # The tests' server has this order anyway; others have those of a language.
            query = "SELECT collation_name FROM information_schema.columns WHERE column_name = 'name_key'"
            assert session.scalar(text(query)) == "C"


def test_boxes_of_an_earlier_form_are_things_and_stay_when_reading_is_taken_back(
    empty_database_url: str, empty_database: Database
) -> None:
    _alembic(empty_database_url, "upgrade", "0005")
    region = (
        "INSERT INTO regions (id, image_id, text_id, x0, y0, x1, y1, source{more})"
        " VALUES ({id}, 1, 1, 0.1, 0.1, 0.2, 0.2, 'import'{value})"
    )
    with empty_database.write() as session:
        session.execute(
            text(
                "INSERT INTO images (id, sha256, width_px, height_px, format, size_bytes, created_at)"
                " VALUES (1, 'a', 9, 9, 'PNG', 9, '2024-05-01 00:00:00')"
            )
        )
        session.execute(text("INSERT INTO texts (id, sha256, body) VALUES (1, 'b', 'a dog')"))
        session.execute(text(region.format(id=1, more="", value="")))
    _alembic(empty_database_url, "upgrade", "head")
    with empty_database.write() as session:
        assert list(session.scalars(text("SELECT is_read FROM regions"))) == [False]
        session.execute(text(region.format(id=2, more=", is_read", value=", true")))
    _alembic(empty_database_url, "downgrade", "0005")
    with empty_database.read() as session:
        assert list(session.scalars(text("SELECT id FROM regions"))) == [1], "what was written is no thing"


def test_an_older_library_is_refused_or_brought_up_to_date(
    empty_database: Database, later_migrations: Path, home: Path
) -> None:
    upgrade(empty_database)
    assert form_of(empty_database, later_migrations) is Form.OLDER
    with pytest.raises(LibraryError, match="older version") as caught:
        require_form(empty_database, home, create=False, migrations=later_migrations)
    assert "deixis index" in caught.value.remedy
    require_form(empty_database, home, create=True, migrations=later_migrations)
    assert form_of(empty_database, later_migrations) is Form.CURRENT


@pytest.mark.parametrize("create", [False, True])
def test_a_newer_library_is_refused(
    empty_database: Database, empty_database_url: str, later_migrations: Path, home: Path, create: bool
) -> None:
    home.mkdir()
    upgrade(empty_database, later_migrations)
    assert form_of(empty_database) is Form.NEWER
    with pytest.raises(LibraryError, match="newer version") as caught:
        Library.open(home, empty_database_url, create=create)
    assert caught.value.remedy == "Update Deixis on this machine."


def test_somebody_elses_database_is_left_alone(empty_database: Database, empty_database_url: str, home: Path) -> None:
    with empty_database.write() as session:
        session.execute(text("CREATE TABLE invoices (id INTEGER)"))
    with pytest.raises(LibraryError, match="something else"):
        Library.open(home, empty_database_url, create=True)
    assert form_of(empty_database) is Form.FOREIGN


def test_a_database_without_tables_is_no_library(empty_database: Database, home: Path) -> None:
    with pytest.raises(LibraryEmptyError, match="no library"):
        require_form(empty_database, home, create=False)


def test_a_failed_migration_leaves_nothing(empty_database: Database, later_migrations: Path) -> None:
    script = later_migrations / "versions" / "9999_later.py"
    script.write_text(script.read_text() + '    op.execute("NOT SQL")\n')
    with pytest.raises(Exception, match="syntax"):
        upgrade(empty_database, later_migrations)
    assert form_of(empty_database) is Form.EMPTY


def test_two_processes_may_create_the_same_library(empty_database_url: str, home: Path) -> None:
    failures: list[BaseException] = []

    def create() -> None:
        script = "import sys; from pathlib import Path; from search.library import Library\n"
        script += "Library.open(Path(sys.argv[1]), sys.argv[2], create=True).close()"
        done = subprocess.run(
            [sys.executable, "-c", script, str(home), empty_database_url], cwd=ROOT, capture_output=True, check=False
        )
        if done.returncode:
            failures.append(RuntimeError(done.stderr.decode()))

    threads = [threading.Thread(target=create) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    Library.open(home, empty_database_url).close()


def test_what_captioners_said_before_becomes_their_generations(
    empty_database_url: str, empty_database: Database, home: Path
) -> None:
    _alembic(empty_database_url, "upgrade", "0005")
    said = (("kosmos2:a", "'en'"), ("kosmos2:a", "'de'"), ("florence2:b", "NULL"), ("import", "'en'"), ("xmp", "NULL"))
    with empty_database.write() as session:
        row = "width_px, height_px, format, size_bytes, created_at) VALUES (1, 'a', 1, 1, 'PNG', 1, '2024-01-02')"
        session.execute(text(f"INSERT INTO images (id, sha256, {row}"))
        session.execute(text("INSERT INTO texts (id, sha256, body) VALUES (1, 'a', 'a boat')"))
        columns = "id, image_id, text_id, source, language, created_at"
        for number, (source, language) in enumerate(said, start=1):
            session.execute(text(f"INSERT INTO texts (id, sha256, body) VALUES ({number + 1}, 't{number}', 'x')"))
            values = f"{number}, 1, {number + 1}, '{source}', {language}, '2024-01-0{number}'"
            session.execute(text(f"INSERT INTO captions ({columns}) VALUES ({values})"))
        columns = "id, image_id, caption_id, text_id, x0, y0, x1, y1, source"
        for number, (caption, source) in enumerate(((2, "kosmos2:a"), ("NULL", "kosmos2:a"), (4, "import")), start=1):
            values = f"{number}, 1, {caption}, 1, 0, 0, 1, 1, '{source}'"
            session.execute(text(f"INSERT INTO regions ({columns}) VALUES ({values})"))
    with Library.open(home, empty_database_url, create=True) as library:
        made = [(one.source, one.language, one.detail, one.captions, one.regions) for one in list_generations(library)]
        # The box without a caption goes with the first of its source; what people say belongs to none.
        assert made == [
            ("florence2:b", None, None, 1, 0),
            ("kosmos2:a", "de", None, 1, 2),
            ("kosmos2:a", "en", None, 1, 0),
        ]
        with library.read() as session:
            told = session.execute(text("SELECT generation_id IS NULL FROM captions ORDER BY id")).scalars().all()
            boxed = session.execute(text("SELECT generation_id IS NULL FROM regions ORDER BY id")).scalars().all()
        assert [bool(one) for one in told] == [False, False, False, True, True]
        assert [bool(one) for one in boxed] == [False, False, True]
        assert not use_generations(library, ["all"]).resting

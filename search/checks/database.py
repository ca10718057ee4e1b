"""Does the database agree with itself: its file, its references, its annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import exists, func, or_, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from search.checks.finding import VerifyReport
from search.checks.rows import check_rows
from search.db.chunks import chunks
from search.db.region_rows import count_without_vector
from search.db.roots import is_below
from search.db.schema import (
    Caption,
    CaptionGeneration,
    Embedding,
    File,
    Image,
    Model,
    Reading,
    Region,
    Root,
    Segment,
    TextBody,
)
from search.db.spellings import unfindable
from search.errors import CorruptionError, LibraryError
from search.library import Library
from search.vectors.live import OWNERS, shown


def check_database(library: Library, report: VerifyReport) -> None:
    """Check what needs nothing but the database."""
    checks: dict[str, Callable[[Session, VerifyReport], None]] = {
        "sqlite": _check_sqlite,
        "rows": check_rows,
        "annotations": _check_annotations,
        "lines": _check_lines,
        "caption generations": _check_generations,
        "placement": _check_placement,
        "owners": _check_owners,
        "roots": _check_roots,
        "counts": _count,
    }
    for what, check in checks.items():
        with guarded(report, f"check {what}"), library.read() as session:
            check(session, report)


def check_references(session: Session, report: VerifyReport) -> None:
    """Check whether rows that refer to each other agree: boxes with captions, vectors with owners, files with roots."""
    for check in (_check_annotations, _check_generations, _check_placement, _check_roots):
        check(session, report)


@contextmanager
def guarded(report: VerifyReport, what: str) -> Iterator[None]:
    """Let one check stumble over what another has found already, or is about to: that is told, and the rest goes on."""
    try:
        yield
    except CorruptionError as error:
        report.add("database_damaged", "database", error.args[0])
    except LibraryError as error:
        report.add("unchecked", what, f"could not be finished: {error.args[0]}")
    except (SQLAlchemyError, ValueError, TypeError, LookupError, OSError) as error:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()
        report.add("unchecked", what, f"could not be finished: {said[0] if said else type(error).__name__}")


def _check_sqlite(session: Session, report: VerifyReport) -> None:
    if session.get_bind().dialect.name != "sqlite":
        return
    for (said,) in session.execute(text("PRAGMA integrity_check(20)")):
        if said != "ok":
            report.add("database_damaged", "database", said)
    for child, rowid, parent, _ in session.execute(text("PRAGMA foreign_key_check")):
        report.add_row("foreign_key", child, rowid, f"refers to a row of {parent} that does not exist")


def _check_annotations(session: Session, report: VerifyReport) -> None:
    elsewhere = (
        select(Region.id, Region.image_id, Caption.image_id)
        .join(Caption, Region.caption_id == Caption.id)
        .where(Region.image_id != Caption.image_id)
    )
    for region_id, image_id, caption_image_id in session.execute(elsewhere):
        message = f"is on image {image_id}, its caption on image {caption_image_id}"
        report.add_row("region_of_other_image", "regions", region_id, message)
    outside = (
        select(Region.id, Region.span_end, func.length(TextBody.body))
        .join(Caption, Region.caption_id == Caption.id)
        .join(TextBody, Caption.text_id == TextBody.id)
        .where(Region.span_end > func.length(TextBody.body))
    )
    for region_id, span_end, length in session.execute(outside):
        message = f"its span ends at {span_end}, its caption has {length} characters"
        report.add_row("span_outside_caption", "regions", region_id, message)


def _check_lines(session: Session, report: VerifyReport) -> None:
    """What was read must be found by its words."""
    read = select(TextBody.id, TextBody.body).where(TextBody.id.in_(select(Region.text_id).where(Region.is_read)))
    rows = session.execute(read.order_by(TextBody.id)).all()
    for some in chunks(rows):
        for text_id in unfindable(session, {row.id: row.body for row in some}):
            report.add_row("line_unfindable", "texts", text_id, "was read, and not all of its words are among those")


def _check_generations(session: Session, report: VerifyReport) -> None:
    """A row of a generation that is gone would be told for ever, for nothing can lay it to rest."""
    for table in (Caption, Region):
        known = exists().where(CaptionGeneration.id == table.generation_id)
        for row_id in session.scalars(select(table.id).where(table.generation_id.is_not(None), ~known)):
            message = "refers to a row of caption_generations that does not exist"
            report.add_row("foreign_key", table.__tablename__, row_id, message)


def _check_placement(session: Session, report: VerifyReport) -> None:
    wrong = (
        select(Embedding.id, Embedding.kind, Segment.file_name)
        .join(Segment, Embedding.segment_id == Segment.id)
        .where(
            or_(
                Embedding.kind != Segment.kind,
                Embedding.model_id != Segment.model_id,
                *((Embedding.kind != kind) & owner.is_not(None) for kind, owner in OWNERS.items()),
            )
        )
    )
    for embedding_id, kind, file_name in session.execute(wrong):
        message = f"is of kind {kind}, but in {file_name} or of an owner of another kind"
        report.add_row("row_in_wrong_segment", "embeddings", embedding_id, message)
    gone = select(Embedding.id).where(
        Embedding.region_id.is_not(None), ~exists().where(Region.id == Embedding.region_id)
    )
    for embedding_id in session.scalars(gone):
        report.add_row("foreign_key", "embeddings", embedding_id, "refers to a row of regions that does not exist")


def _check_owners(session: Session, report: VerifyReport) -> None:
    """Whatever a person can be shown must have a vector of the model that answers."""
    active = session.scalar(select(Model).where(Model.active))
    if active is None:
        if session.scalar(select(func.count(Embedding.id))):
            report.add("no_active_model", "models", "there are vectors, and no model answers with them")
        return
    has_image = exists().where(Embedding.image_id == Image.id, Embedding.model_id == active.id)
    for image_id in session.scalars(select(Image.id).where(shown(Image.id), ~has_image)):
        report.add_row("image_without_vector", "images", image_id, f"has no vector of {active.name}")
    has_text = exists().where(Embedding.text_id == TextBody.id, Embedding.model_id == active.id)
    used = or_(
        exists().where(Caption.text_id == TextBody.id, shown(Caption.image_id)),
        exists().where(Region.text_id == TextBody.id, shown(Region.image_id)),
    )
    for text_id in session.scalars(select(TextBody.id).where(used, ~has_text)):
        report.add_row("text_without_vector", "texts", text_id, f"has no vector of {active.name}")


def _check_roots(session: Session, report: VerifyReport) -> None:
    paths = select(File.id, File.path, Root.path).join(Root).execution_options(yield_per=2000)
    for file_id, path, root in session.execute(paths):
        if not is_below(path, root):
            report.add_row("file_outside_root", "files", file_id, f"does not lie in {root}, which it is said to be of")


def _count(session: Session, report: VerifyReport) -> None:
    tables = (File, Image, TextBody, Caption, Region, Reading, Embedding)
    for entity in tables:
        report.checked[entity.__tablename__] = session.scalar(select(func.count()).select_from(entity)) or 0
    dead = select(func.count()).where(*(owner.is_(None) for owner in OWNERS.values()))
    report.checked["dead_embeddings"] = session.scalar(dead) or 0
    model_id = session.scalar(select(Model.id).where(Model.active))
    report.checked["boxes_without_vector"] = 0 if model_id is None else count_without_vector(session, model_id)
    held = exists().where(File.image_id == Image.id)
    report.checked["images_without_file"] = session.scalar(select(func.count(Image.id)).where(~held)) or 0
    used = or_(exists().where(Caption.text_id == TextBody.id), exists().where(Region.text_id == TextBody.id))
    report.checked["unused_texts"] = session.scalar(select(func.count(TextBody.id)).where(~used)) or 0

"""Does the database agree with itself: its file, its references, its full-text index, its annotations."""

from __future__ import annotations

from sqlalchemy import exists, func, or_, select, text
from sqlalchemy.orm import Session

from search.checks.finding import VerifyReport
from search.db.fulltext import FTS_TABLE, check_fulltext
from search.db.schema import Caption, Embedding, File, Image, Model, Region, Segment, TextBody
from search.library import Library
from search.vectors.live import shown


def check_database(library: Library, report: VerifyReport) -> None:
    """Check what needs nothing but the database."""
    with library.read() as session:
        if session.get_bind().dialect.name == "sqlite":
            _check_sqlite(session, report, alone=library.database.why_read_only is not None)
        _check_annotations(session, report)
        _check_placement(session, report)
        _check_owners(session, report)
        _count(session, report)
    if library.database.why_read_only is not None:
        return  # The full-text index proves itself by a write; SQLite's own check, above, has had to do.
    with library.write() as session:
        problem = check_fulltext(session)
        session.rollback()
    if problem is not None:
        report.add("fulltext", "texts", f"the full-text index does not agree with the texts: {problem}")


def _check_sqlite(session: Session, report: VerifyReport, *, alone: bool) -> None:
    for (said,) in session.execute(text("PRAGMA integrity_check(20)")):
        if alone and FTS_TABLE in said:
            report.add("fulltext", "texts", f"the full-text index does not agree with the texts: {said}")
        # The full-text index has a check, a finding and a remedy of its own.
        if said != "ok" and FTS_TABLE not in said:
            report.add("database_damaged", "database", said)
    for child, rowid, parent, _ in session.execute(text("PRAGMA foreign_key_check")):
        report.add("foreign_key", f"{child} row {rowid}", f"refers to a row of {parent} that does not exist")


def _check_annotations(session: Session, report: VerifyReport) -> None:
    elsewhere = (
        select(Region.id, Region.image_id, Caption.image_id)
        .join(Caption, Region.caption_id == Caption.id)
        .where(Region.image_id != Caption.image_id)
    )
    for region_id, image_id, caption_image_id in session.execute(elsewhere):
        message = f"is on image {image_id}, its caption on image {caption_image_id}"
        report.add("region_of_other_image", f"regions row {region_id}", message)
    outside = (
        select(Region.id, Region.span_end, func.length(TextBody.body))
        .join(Caption, Region.caption_id == Caption.id)
        .join(TextBody, Caption.text_id == TextBody.id)
        .where(Region.span_end > func.length(TextBody.body))
    )
    for region_id, span_end, length in session.execute(outside):
        message = f"its span ends at {span_end}, its caption has {length} characters"
        report.add("span_outside_caption", f"regions row {region_id}", message)


def _check_placement(session: Session, report: VerifyReport) -> None:
    wrong = (
        select(Embedding.id, Embedding.kind, Segment.file_name)
        .join(Segment, Embedding.segment_id == Segment.id)
        .where(
            or_(
                Embedding.kind != Segment.kind,
                Embedding.model_id != Segment.model_id,
                (Embedding.kind == "image") & Embedding.text_id.is_not(None),
                (Embedding.kind == "text") & Embedding.image_id.is_not(None),
            )
        )
    )
    for embedding_id, kind, file_name in session.execute(wrong):
        message = f"is of kind {kind}, but in {file_name} or of an owner of another kind"
        report.add("row_in_wrong_segment", f"embeddings row {embedding_id}", message)


def _check_owners(session: Session, report: VerifyReport) -> None:
    """Whatever a person can be shown must have a vector of the model that answers."""
    active = session.scalar(select(Model).where(Model.active))
    if active is None:
        return
    has_image = exists().where(Embedding.image_id == Image.id, Embedding.model_id == active.id)
    for image_id in session.scalars(select(Image.id).where(shown(Image.id), ~has_image)):
        report.add("image_without_vector", f"images row {image_id}", f"has no vector of {active.name}")
    has_text = exists().where(Embedding.text_id == TextBody.id, Embedding.model_id == active.id)
    used = or_(
        exists().where(Caption.text_id == TextBody.id, shown(Caption.image_id)),
        exists().where(Region.text_id == TextBody.id, shown(Region.image_id)),
    )
    for text_id in session.scalars(select(TextBody.id).where(used, ~has_text)):
        report.add("text_without_vector", f"texts row {text_id}", f"has no vector of {active.name}")


def _count(session: Session, report: VerifyReport) -> None:
    tables = (File, Image, TextBody, Caption, Region, Embedding)
    for entity in tables:
        report.checked[entity.__tablename__] = session.scalar(select(func.count()).select_from(entity)) or 0
    dead = select(func.count()).where(Embedding.image_id.is_(None), Embedding.text_id.is_(None))
    report.checked["dead_embeddings"] = session.scalar(dead) or 0
    held = exists().where(File.image_id == Image.id)
    report.checked["images_without_file"] = session.scalar(select(func.count(Image.id)).where(~held)) or 0
    used = or_(exists().where(Caption.text_id == TextBody.id), exists().where(Region.text_id == TextBody.id))
    report.checked["unused_texts"] = session.scalar(select(func.count(TextBody.id)).where(~used)) or 0

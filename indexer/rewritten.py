"""Tell a picture that a program rewrote from another picture: same pixels, other bytes."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.db.images import ImageFact
from search.db.rewrites import (
    carry_annotations,
    holders_besides,
    left_behind,
    pixels_known,
    rewrite_image,
    same_pixels_at,
)
from search.db.schema import File, Image


@dataclass(slots=True)
class Rewrites:
    """What a batch does to pictures that are there already.

    Attributes:
        kept: by the new content hash: the row that is to stand for it, and the hash that it has had.
        carried: rows whose captions and boxes are copied, each with the new content hash: their old bytes are still
            held by another file, or their new bytes have been.
    """

    kept: dict[str, tuple[int, str]] = field(default_factory=dict)
    carried: list[tuple[int, str]] = field(default_factory=list)

    def rewrite(self, session: Session, facts: Mapping[str, ImageFact], paths: Mapping[str, Collection[str]]) -> None:
        """Let the kept rows stand for their new bytes; before rows are made for what is new.

        Args:
            facts: of each content of the batch.
            paths: the batch's files of each content.
        """
        for sha256, (image_id, _) in self.kept.items():
            rewrite_image(session, image_id, facts[sha256], paths[sha256])

    def carry(self, session: Session, image_ids: Mapping[str, int]) -> None:
        """Copy the captions and boxes of those rows that could not be kept; once every content has a row."""
        for from_id, sha256 in self.carried:
            carry_annotations(session, from_id, image_ids[sha256])


def plan_rewrites(session: Session, found: Sequence[tuple[str, ImageFact]], gone: Container[int]) -> Rewrites:
    """Find the rows that the pictures of a batch have had before their files were rewritten.

    Args:
        session: any.
        found: paths with what was decoded there.
        gone: ids of files that the scan did not find any more: a rewrite may come under a new name.
    """
    plan = Rewrites()
    digests = {fact.pixels_sha256 for _, fact in found if fact.pixels_sha256 is not None}
    # Of most batches no picture was ever there.
    there = pixels_known(session, sorted(digests))
    taken: set[int] = set()
    paths: dict[str, set[str]] = {}
    for path, fact in found:
        paths.setdefault(fact.sha256, set()).add(path)
    for path, fact in found:
        if fact.pixels_sha256 not in there:
            continue
        before = same_pixels_at(session, path, fact) or left_behind(session, fact, gone)
        if before is None or before.id in taken:
            continue
        taken.add(before.id)
        has_row = session.scalar(select(Image.id).where(Image.sha256 == fact.sha256)) is not None
        if has_row or fact.sha256 in plan.kept or holders_besides(session, before.id, paths[fact.sha256], gone):
            plan.carried.append((before.id, fact.sha256))
        else:
            plan.kept[fact.sha256] = (before.id, before.sha256)
    return plan


def carry_to_copy(session: Session, path: str, image_id: int) -> None:
    """A file holds the bytes of a known picture now: if it held the same pixels before, its captions come along."""
    before, now = (
        session.scalar(select(Image).join(File, File.image_id == Image.id).where(File.path == path)),
        session.get(Image, image_id),
    )
    if before is None or now is None or before.id == now.id or before.pixels_sha256 is None:
        return
    if (before.pixels_sha256, before.width_px, before.height_px) == (now.pixels_sha256, now.width_px, now.height_px):
        carry_annotations(session, before.id, now.id)

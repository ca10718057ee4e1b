"""`verify` names exactly what was broken, and the remedy that it names repairs it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import PIL.Image
import pytest
from sqlalchemy import delete, func, select, text, update
from stock import Stock, unit_vectors

from search.checks.finding import REMEDIES
from search.db.readings import add_reading
from search.db.schema import (
    Caption,
    Embedding,
    File,
    Generation,
    Image,
    Model,
    ReadWord,
    Region,
    Root,
    Segment,
    TextBody,
)
from search.errors import CorruptionError, LibraryBusyError
from search.library import Library
from search.maintenance import rebuild, verify
from search.patches.store import Kept
from search.previews import GALLERY_PX, PreviewStore
from search.publishing import publish
from search.vectors.index import VectorIndex, save_index
from search.vectors.live import KINDS, live_ids
from vision.looks import GRID, WHOLE, Looks
from vision.types import Box
from vision.types import Region as RegionFact

HEADER_BYTES = 128
BLOCK_BYTES = 24 + 10 * (8 + 16 * 2)


@pytest.fixture
def shelf(stock: Stock) -> Stock:
    """Twenty pictures in two blocks, three captions, all published twice over."""
    stock.add_pictures(10)
    stock.add_captions(["a brown bear", "a dog", "two zebras"], stock.images[0])
    stock.publish()
    stock.add_pictures(10, seed=3)
    stock.publish()
    return stock


def _segment(stock: Stock, kind: str = "image") -> Path:
    (path,) = stock.library.vectors.segments_folder.glob(f"{kind}-*.seg")
    return path


def _index(stock: Stock, *, active: bool = True) -> Path:
    with stock.library.read() as session:
        name = session.scalar(
            select(Generation.file_name).where(Generation.active == active, Generation.kind == "image")
        )
    return stock.library.vectors.generations_folder / (name or "")


def _flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x10
    path.write_bytes(data)


def _sql(stock: Stock, *statements: object) -> None:
    with stock.library.write() as session:
        for statement in statements:
            session.execute(statement)  # type: ignore[call-overload]  # any statement


def _delete_row(stock: Stock) -> None:
    _sql(stock, delete(Embedding).where(Embedding.segment_row == 4, Embedding.kind == "image"))


def _row_beyond(stock: Stock) -> None:
    row = {"model_id": stock.model.id, "kind": "image", "segment_id": 1, "segment_row": 99}
    with stock.library.write() as session:
        session.add(Embedding(**row))


def _swapped_rows(stock: Stock) -> None:
    place = Embedding.segment_id == 1
    moves = [(3, 1003), (4, 3), (1003, 4)]
    _sql(stock, *[update(Embedding).where(place, Embedding.segment_row == a).values(segment_row=b) for a, b in moves])


def _rewrite_segment(stock: Stock, vector: np.ndarray) -> None:
    """A segment whose checksums are right and whose third vector is not."""
    from search.vectors.segment_reader import SegmentReader
    from search.vectors.segments import Position, append_block, create_segment

    path, facts = _segment(stock), _facts(stock)
    with stock.library.read() as session:
        row = session.get_one(Segment, 1)
    reader = SegmentReader(path, facts)
    blocks = list(reader.scan(Position(row.committed_rows, row.committed_bytes)))
    reader.close()
    blocks[0].vectors[2] = vector
    end = Position(0, create_segment(path, facts))
    for block in blocks:
        end = append_block(path, facts, end, block.ids.tolist(), block.vectors)


def _facts(stock: Stock) -> object:
    from search.vectors.segments import SegmentFacts

    return SegmentFacts(16, "image", stock.model.identity, stock.library.vectors.library_uid)


def _forge_index(stock: Stock, ids_shift: int, vector_shift: float) -> None:
    """A generation whose checksum is right and whose content is not."""
    path = _index(stock)
    index = faiss.read_index(str(path))
    vectors = index.index.reconstruct_n(0, index.ntotal)
    vectors[5] += vector_shift
    forged = faiss.IndexIDMap2(faiss.IndexFlatIP(16))
    forged.add_with_ids(vectors, faiss.vector_to_array(index.id_map) + ids_shift)
    sha256, size_bytes = save_index(VectorIndex(forged), path)
    _sql(
        stock, update(Generation).where(Generation.file_name == path.name).values(sha256=sha256, size_bytes=size_bytes)
    )


def _region(stock: Stock, **fields: object) -> None:
    with stock.library.write() as session:
        caption = session.scalars(select(Caption)).first()
        assert caption is not None
        values: dict[str, object] = {"image_id": caption.image_id, "caption_id": caption.id, "text_id": caption.text_id}
        box = {"x0": 0.1, "y0": 0.1, "x1": 0.9, "y1": 0.9, "source": "import"}
        session.add(Region(**(values | box | fields)))


def _add_unembedded_image(stock: Stock) -> None:
    with stock.library.write() as session:
        image = session.get_one(Image, stock.images[0])
        copy = Image(sha256="e" * 64, width_px=1, height_px=1, format="PNG", size_bytes=1, created_at=image.created_at)
        session.add(copy)
        session.flush()
        session.execute(update(File).where(File.image_id == stock.images[1]).values(image_id=copy.id))
        session.execute(delete(Image).where(Image.id == stock.images[1]))
    stock.publish()


def _orphan_caption_text(stock: Stock) -> None:
    _sql(stock, update(Embedding).where(Embedding.text_id == stock.texts[1]).values(text_id=None))
    stock.publish()


def _set_kind(stock: Stock) -> None:
    _sql(stock, update(Embedding).where(Embedding.text_id == stock.texts[1]).values(kind="image"))


def _hide_file(stock: Stock) -> None:
    _sql(stock, update(File).where(File.image_id == stock.images[0]).values(state="missing"))


def _patches(stock: Stock, *, spoilt: bool = False, known: bool = True) -> None:
    store = stock.library.patches.store
    store.keep(Kept(stock.model.identity, WHOLE))
    with stock.library.read() as session:
        sha256 = session.scalars(select(Image.sha256)).first() if known else "00" * 32
    patches = np.full((WHOLE, GRID, GRID, 4), 0.5, np.float32)
    store.put(sha256 or "", stock.model.identity, Looks(patches, np.array([[0, 0, 1, 1]], np.float32)))
    if spoilt:
        _flip(store.path(sha256 or "", stock.model.identity), 40)


def _preview(stock: Stock, *, sides: tuple[int, int] = (512, 384), spoilt: bool = False, known: bool = True) -> None:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", sides, "red").save(buffer, "WEBP")
    with stock.library.read() as session:
        sha256 = session.get_one(Image, stock.images[0]).sha256
    path = PreviewStore(stock.library.home).put(sha256 if known else "f" * 64, GALLERY_PX, buffer.getvalue())
    if spoilt:
        _flip(path, 40)


def _alter_text(stock: Stock) -> None:
    _sql(stock, update(TextBody).where(TextBody.id == stock.texts[0]).values(body="a browm bear"))


def _lose_a_read_word(stock: Stock) -> None:
    with stock.library.write() as session:
        add_reading(session, stock.images[0], [RegionFact("a dog", Box(0.1, 0.1, 0.2, 0.2))], "reader:1")
    _sql(stock, delete(ReadWord).where(ReadWord.word == "dog"))
    with stock.library.exclusive():
        publish(stock.library, stock.model.id)


def _elsewhere(stock: Stock) -> None:
    _sql(stock, update(Root).values(path="/elsewhere"))


def _no_active(stock: Stock) -> None:
    _sql(stock, update(Model).values(active=False))


def _folder_as_lock(stock: Stock) -> None:
    (stock.library.home / "index.lock").unlink(missing_ok=True)
    (stock.library.home / "index.lock").mkdir()


def _lose_generation_row(stock: Stock) -> None:
    _sql(stock, delete(Generation).where(Generation.active, Generation.kind == "image"))


def _move_caption(stock: Stock) -> None:
    """What belongs together has changed without a new row: only the catalogue can tell."""
    stock.library.publish(stock.model.id)
    with stock.library.write() as session:
        caption_id = session.scalar(select(func.min(Caption.id)).where(Caption.image_id == stock.images[0]))
        session.execute(update(Caption).where(Caption.id == caption_id).values(image_id=stock.images[1]))


DAMAGE: list[tuple[str, Callable[[Stock], object], set[str]]] = [
    ("a flipped byte in the segment's header", lambda s: _flip(_segment(s), 20), {"segment_header"}),
    ("a flipped byte in a block's head", lambda s: _flip(_segment(s), HEADER_BYTES + 5), {"segment_block"}),
    ("a flipped byte in a block's ids", lambda s: _flip(_segment(s), HEADER_BYTES + 40), {"segment_block"}),
    ("a flipped byte in a vector", lambda s: _flip(_segment(s), HEADER_BYTES + BLOCK_BYTES - 1), {"segment_block"}),
    ("a flipped byte at the end", lambda s: _flip(_segment(s), HEADER_BYTES + 2 * BLOCK_BYTES - 1), {"segment_block"}),
    (
        "a segment that is too short",
        lambda s: _segment(s).write_bytes(_segment(s).read_bytes()[:-9]),
        {"segment_truncated", "segment_block"},
    ),
    ("a segment with a tail", lambda s: _segment(s).write_bytes(_segment(s).read_bytes() + b"tail"), {"segment_tail"}),
    ("a missing segment", lambda s: _segment(s).unlink(), {"segment_missing"}),
    ("a stray segment", lambda s: _segment(s).with_name("image-m1-999999.seg").write_bytes(b"x"), {"stray_file"}),
    ("a stray index", lambda s: _index(s).with_name("image-m1-ff.faiss.tmp").write_bytes(b"x"), {"stray_file"}),
    ("a vector that is not of unit length", lambda s: _rewrite_segment(s, unit_vectors(0, 1)[0] * 0.9),
     {"vector_not_unit", "generation_vectors"}),
    ("a vector that is not a number", lambda s: _rewrite_segment(s, np.full(16, np.nan)),
     {"vector_not_unit", "generation_vectors"}),
    ("another vector in the segment", lambda s: _rewrite_segment(s, unit_vectors(77, 1)[0]), {"generation_vectors"}),
    ("a deleted row", _delete_row, {"vector_without_row", "image_without_vector", "unpublished"}),
    ("a row beyond the segment's end", _row_beyond, {"row_without_vector"}),
    ("two rows that were swapped", _swapped_rows, {"row_without_vector"}),
    ("a row of another kind", _set_kind, {"row_in_wrong_segment", "unpublished"}),
    ("a missing index", lambda s: _index(s).unlink(), {"generation_missing"}),
    ("a missing previous index", lambda s: _index(s, active=False).unlink(), {"generation_missing"}),
    ("a flipped byte in an index", lambda s: _flip(_index(s), 300), {"generation_checksum"}),
    ("an index with other ids", lambda s: _forge_index(s, 1000, 0.0), {"generation_ids"}),
    ("an index with another vector", lambda s: _forge_index(s, 0, 0.1), {"generation_vectors"}),
    ("a hidden file", _hide_file, {"unpublished"}),
    ("a lost generation row", _lose_generation_row, {"unpublished", "stray_file"}),
    ("a caption that moved to another image", _move_caption, {"catalogue"}),
    ("a region of another image", lambda s: _region(s, image_id=s.images[1]), {"region_of_other_image"}),
    ("a span beyond its caption", lambda s: _region(s, span_start=0, span_end=99), {"span_outside_caption"}),
    ("an image without a vector", _add_unembedded_image, {"image_without_vector"}),
    ("a text without a vector", _orphan_caption_text, {"text_without_vector"}),
    ("a text with another letter", _alter_text, {"text_digest"}),
    ("a line whose word is gone", _lose_a_read_word, {"line_unfindable"}),
    ("a box without a source", lambda s: _region(s, source=""), {"row_invalid"}),
    ("files of another root", _elsewhere, {"file_outside_root"}),
    ("no model that answers", _no_active, {"no_active_model"}),
    ("a damaged preview", lambda s: _preview(s, spoilt=True), {"preview_damaged"}),
    ("a preview of another size", lambda s: _preview(s, sides=(100, 80)), {"preview_damaged"}),
    ("a preview of an erased picture", lambda s: _preview(s, known=False), {"stray_preview"}),
    ("damaged patches", lambda s: _patches(s, spoilt=True), {"patches_damaged"}),
    ("patches of an erased picture", lambda s: _patches(s, known=False), {"stray_patches"}),
    ("a mark that was being written", lambda s: (s.library.home / ".0a1b.tmp").write_bytes(b"{"), {"unfinished_file"}),
    ("a folder as lock", _folder_as_lock, {"lock_file"}),
]  # fmt: skip


def test_a_sound_library_is_clean(shelf: Stock) -> None:
    seen: list[tuple[int, int]] = []
    report = verify(shelf.library, lambda done, total: seen.append((done, total)))
    assert report.findings == []
    assert report.clean
    checked = {
        name: report.checked[name] for name in ("segments", "vectors", "generations", "images", "files", "texts")
    }
    assert checked == {"segments": 2, "vectors": 23, "generations": 3, "images": 20, "files": 20, "texts": 3}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1] > 0


@pytest.mark.parametrize(("damage", "codes"), [case[1:] for case in DAMAGE], ids=[case[0] for case in DAMAGE])
def test_verify_names_what_is_broken(shelf: Stock, damage: Callable[[Stock], object], codes: set[str]) -> None:
    damage(shelf)
    report = verify(shelf.library)
    assert {finding.code for finding in report.findings} == codes
    assert all(finding.where and finding.message and finding.remedy for finding in report.findings)


@pytest.mark.parametrize(
    "damage",
    [case[1] for case in DAMAGE if any(REMEDIES[code].startswith("Run `deixis rebuild") for code in case[2])],
    ids=[case[0] for case in DAMAGE if any(REMEDIES[code].startswith("Run `deixis rebuild") for code in case[2])],
)
def test_the_remedy_that_is_named_repairs(shelf: Stock, damage: Callable[[Stock], object]) -> None:
    damage(shelf)
    rebuild(shelf.library, compact=True)
    left = verify(shelf.library).codes
    assert left <= {"image_without_vector"}, "what cannot be read is embedded again by `index`"


@pytest.mark.parametrize(("damage", "codes"), [case[1:] for case in DAMAGE], ids=[case[0] for case in DAMAGE])
def test_no_remedy_makes_damage_invisible(shelf: Stock, damage: Callable[[Stock], object], codes: set[str]) -> None:
    """Whatever `rebuild` and a new job can do is done: what is gone then is mended, and the rest is still named."""
    damage(shelf)
    hidden = _answers(shelf)
    for compact in (False, True):
        with contextlib.suppress(CorruptionError):  # It refuses what it cannot prove.
            rebuild(shelf.library, compact=compact)
    with shelf.library.exclusive():
        shelf.publish()
    left = verify(shelf.library).codes
    by_hand = {code for code in codes if REMEDIES[code].startswith(("Restore", "Remove it"))}
    assert left >= by_hand
    assert left - by_hand <= {"image_without_vector", "text_without_vector", "no_active_model", "row_in_wrong_segment"}
    lost = sum(finding.code.endswith("_without_vector") for finding in verify(shelf.library).findings)
    assert _answers(shelf) + lost >= hidden, "what cannot be found any more is said to lack its vector"


def _answers(stock: Stock) -> int:
    """Pictures and texts that live, by the database alone."""
    with stock.library.read() as session:
        return sum(len(live_ids(session, stock.model.id, kind)) for kind in KINDS)


def test_every_finding_has_a_test(shelf: Stock) -> None:
    # Below, on SQLite: Postgres keeps these promises itself. A check that stumbles is in test_rows.py, and copies of
    # fetched pictures are in tests/indexer/test_urls.py.
    untested = {"database_damaged", "foreign_key", "unchecked", "copy_damaged", "copy_missing", "stray_copy"}
    assert set().union(*(case[2] for case in DAMAGE)) | untested == set(REMEDIES)


def test_a_reference_to_nothing_is_found(sqlite_stock: Stock) -> None:
    sqlite_stock.add_pictures(2)
    sqlite_stock.publish()
    driver = sqlite_stock.library.engine.raw_connection()
    driver.cursor().execute("PRAGMA query_only = 0")
    driver.cursor().execute("PRAGMA foreign_keys = 0")
    driver.cursor().execute("UPDATE files SET root_id = 99 WHERE id = 1")
    driver.cursor().execute("PRAGMA foreign_keys = 1")
    driver.close()
    (finding,) = verify(sqlite_stock.library).findings
    assert (finding.code, finding.where) == ("foreign_key", "files row 1")


def test_a_damaged_database_page_is_found(sqlite_stock: Stock, home: Path) -> None:
    sqlite_stock.add_pictures(200)
    sqlite_stock.publish()
    sqlite_stock.library.close()
    path = home / "deixis.db"
    data = bytearray(path.read_bytes())
    with Library.open(home) as library:
        with library.read() as session:
            page_bytes = session.scalar(text("PRAGMA page_size")) or 0
            page = session.scalar(text("SELECT rootpage FROM sqlite_master WHERE name = 'ix_files_name'")) or 0
        start = (page - 1) * page_bytes
        data[start : start + page_bytes] = b"\xff" * page_bytes
    path.write_bytes(data)
    with Library.open(home) as library:
        assert {finding.code for finding in verify(library).findings} == {"database_damaged"}


def test_verify_waits_for_no_one(stock: Stock, home: Path, database_url: str) -> None:
    with stock.library.exclusive(), Library.open(home, database_url) as other:
        with pytest.raises(LibraryBusyError, match="pid"):
            verify(other)
        with pytest.raises(LibraryBusyError, match="pid"):
            rebuild(other)


def test_rebuild_restores_every_index_from_segments(shelf: Stock) -> None:
    for path in shelf.library.vectors.generations_folder.iterdir():
        path.unlink()
    with pytest.raises(CorruptionError):
        shelf.library.vectors.searcher(shelf.model.id, "image")
    report = rebuild(shelf.library)
    assert (report.generations, report.vectors) == (3, 23)  # pictures, texts, and the catalogue of both
    assert verify(shelf.library).codes <= {"generation_missing"}
    ids = sorted(shelf.vectors)[:10]
    found = shelf.library.vectors.searcher(shelf.model.id, "image").search(shelf.stored(ids), 1)[1]
    assert found[:, 0].tolist() == ids


def test_rebuild_without_compacting_refuses_a_damaged_segment(shelf: Stock) -> None:
    _flip(_segment(shelf), HEADER_BYTES + 40)
    with pytest.raises(CorruptionError, match="checksum") as caught:
        rebuild(shelf.library)
    assert "--compact" in caught.value.remedy

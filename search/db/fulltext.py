"""Full-text search over `texts`: FTS5 on SQLite, a generated `tsvector` with a GIN index on Postgres."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from sqlalchemy import Float, bindparam, case, column, func, literal, literal_column, or_, select, table, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from search.db.schema import TextBody

FTS_TABLE = "texts_fts"
"""FTS5 table over `texts` on SQLite, kept in step by triggers; migration 0001 makes it."""

TSV_COLUMN = "body_tsv"
"""Generated column of `texts` on Postgres; migration 0001 makes it."""

GIN_INDEX = "ix_texts_body_tsv"

_FTS_COMMAND = text("INSERT INTO texts_fts(texts_fts, rank) VALUES (:command, :rank)")
"""How FTS5 takes orders: rank 1 asks an integrity check to look at the texts as well."""

MAX_TERMS = 64
"""Words of a query that are looked at; more only cost time."""

_STOP_WORDS = frozenset(
    "a an and are as at be by for from has he in is it its of on or that the there this to was were with".split()
)
"""English words that nearly every caption holds; Postgres drops its own list, FTS5 has none."""


def is_fulltext_object(kind: str, name: str | None) -> bool:
    """Whether a table, column or index belongs to this file and not to the models; for Alembic's comparison."""
    if name is None:
        return False
    return (kind == "table" and name.startswith(FTS_TABLE)) or name in (TSV_COLUMN, GIN_INDEX)


def search_texts(session: Session, query: str, limit: int) -> list[tuple[int, float]]:
    """Find texts that share words with the query, best first.

    A text matches when it holds at least one of the words (English word forms are folded: "dogs" finds "dog");
    the more and the rarer the shared words, the better. Words of scripts that are written without spaces are
    looked up as substrings. Nothing in the query is an operator, so any string is safe.

    Args:
        session: open for reading or writing.
        query: what a person typed.
        limit: at most this many; 0 or less gives none.

    Returns:
        `(text_id, score)` pairs; a higher score is better. Scores compare within one answer only, because the
        two databases rank differently (BM25 on SQLite, cover density on Postgres).
    """
    words = _words(query)
    if not words or limit <= 0:
        return []
    unspaced = [word for word in words if _is_unspaced(word)]
    spaced = [word for word in words if not _is_unspaced(word)]
    spaced = [word for word in spaced if word not in _STOP_WORDS] or spaced
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    matcher: Callable[[Session, list[str], int], list[tuple[int, float]]] = (
        _match_fts5 if on_sqlite else _match_tsvector
    )
    scores = dict(matcher(session, spaced, limit)) if spaced else {}
    for text_id, score in _match_substrings(session, unspaced, limit) if unspaced else []:
        scores[text_id] = scores.get(text_id, 0.0) + score
    # Ties in the order of the ids, so that the same question has the same answer.
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]


def _words(query: str) -> list[str]:
    """Distinct words in lower case, in order; letters, marks and digits make words, everything else ends them."""
    normal = unicodedata.normalize("NFC", query).lower()
    spaced = "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in normal)
    return list(dict.fromkeys(spaced.split()))[:MAX_TERMS]


def _is_unspaced(word: str) -> bool:
    """Whether the word is of a script without spaces: both databases would index whole sentences as one word."""
    return any(unicodedata.name(char, "").startswith(_UNSPACED_SCRIPTS) for char in word)


_UNSPACED_SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")


def _match_fts5(session: Session, words: list[str], limit: int) -> list[tuple[int, float]]:
    fts = table(FTS_TABLE, column("rowid"), column("rank", Float))
    # Within double quotes FTS5 knows no operator, and a word cannot hold a quote.
    expression = " OR ".join(f'"{word}"' for word in words)
    query = (
        select(fts.c.rowid, fts.c.rank)
        .where(literal_column(FTS_TABLE).op("MATCH")(bindparam("expression", expression)))
        .order_by(fts.c.rank, fts.c.rowid)
        .limit(limit)
    )
    return [(int(text_id), -float(rank)) for text_id, rank in session.execute(query)]


def _match_tsvector(session: Session, words: list[str], limit: int) -> list[tuple[int, float]]:
    english: ColumnElement[str] = literal_column("'english'::regconfig")
    wanted: ColumnElement[str] = func.plainto_tsquery(english, words[0])
    for word in words[1:]:
        wanted = wanted.op("||")(func.plainto_tsquery(english, word))
    body_tsv = literal_column(f"texts.{TSV_COLUMN}", TSVECTOR)
    score = func.ts_rank_cd(body_tsv, wanted, 1, type_=Float)  # 1: divided by 1 + log(length)
    query = select(TextBody.id, score).where(body_tsv.op("@@")(wanted)).order_by(score.desc(), TextBody.id).limit(limit)
    return [(int(text_id), float(rank)) for text_id, rank in session.execute(query)]


def _match_substrings(session: Session, words: list[str], limit: int) -> list[tuple[int, float]]:
    """One point per word that the text holds; reads every text, so it is for the scripts that need it."""
    hits = [func.lower(TextBody.body).contains(word, autoescape=True) for word in words]
    count = sum((case((hit, 1.0), else_=0.0) for hit in hits), start=literal(0.0))
    query = select(TextBody.id, count).where(or_(*hits)).order_by(count.desc(), TextBody.id).limit(limit)
    return [(int(text_id), float(score)) for text_id, score in session.execute(query)]


def check_fulltext(session: Session) -> str | None:
    """Say what is wrong with the full-text index, or None when it agrees with `texts`.

    Args:
        session: open for writing, because FTS5 checks itself by way of an INSERT; nothing is changed.
    """
    if session.get_bind().dialect.name != "sqlite":
        # A generated column cannot disagree with its row; only the index can be missing or half-built.
        valid = session.scalar(
            text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"), {"name": GIN_INDEX}
        )
        return None if valid else f"the index {GIN_INDEX} is missing or invalid"
    try:
        session.execute(_FTS_COMMAND, {"command": "integrity-check", "rank": 1})
    except DatabaseError as error:
        return str(error.orig)
    return None


def rebuild_fulltext(session: Session) -> None:
    """Make the full-text index anew from `texts`."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(_FTS_COMMAND, {"command": "rebuild", "rank": 0})
    else:
        session.execute(text(f"DROP INDEX IF EXISTS {GIN_INDEX}"))
        session.execute(text(f"CREATE INDEX {GIN_INDEX} ON texts USING gin ({TSV_COLUMN})"))


def forget_deleted(session: Session) -> None:
    """Let the index forget the words of deleted texts now, rather than when it next merges; Postgres vacuums."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(_FTS_COMMAND, {"command": "optimize", "rank": 0})

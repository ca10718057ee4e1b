"""Keys open what they say, until they end; what is kept of one opens nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from stock import Stock

from search.db.schema import AccessKey
from search.errors import NotFoundError, QueryError
from search.keys import (
    PREFIX,
    Scope,
    add_key,
    digest,
    lifetime_of,
    list_keys,
    live_keys,
    match_key,
    note_use,
    revoke_key,
)


def test_a_key_is_found_by_itself_and_by_nothing_that_is_kept(stock: Stock) -> None:
    info, key = add_key(stock.library, "phone", Scope.SEARCH)
    add_key(stock.library, "other", Scope.READ)
    keys = live_keys(stock.library)
    found = match_key(keys, key)
    assert found is not None
    assert (found.id, found.scope) == (info.id, Scope.SEARCH)
    with stock.library.read() as session:
        row = session.get(AccessKey, info.id)
        assert row is not None
        kept = [str(getattr(row, column.name)) for column in AccessKey.__table__.columns]
    assert not any(key in one or key.removeprefix(PREFIX) in one for one in kept)
    for wrong in ("", key[:-1], key + "x", row.sha256, PREFIX + row.sha256, key.upper(), "é" * 40, key * 100):
        assert match_key(keys, wrong) is None, wrong


def test_two_keys_have_256_bits_of_their_own(stock: Stock) -> None:
    keys = {add_key(stock.library, f"key {number}", Scope.READ)[1] for number in range(20)}
    assert len(keys) == 20
    assert all(key.startswith(PREFIX) and len(key) == len(PREFIX) + 43 for key in keys)


def test_scopes_nest() -> None:
    assert Scope.READ < Scope.SEARCH < Scope.JOBS < Scope.ADMIN


def test_a_revoked_key_opens_nothing_and_its_name_is_free(stock: Stock) -> None:
    _, key = add_key(stock.library, "phone", Scope.READ)
    with pytest.raises(QueryError, match="already"):
        add_key(stock.library, "phone", Scope.READ)
    revoke_key(stock.library, "phone")
    assert match_key(live_keys(stock.library), key) is None
    with pytest.raises(NotFoundError):
        revoke_key(stock.library, "phone")
    again, _ = add_key(stock.library, "phone", Scope.ADMIN)
    assert [one.state(datetime.now(UTC)) for one in list_keys(stock.library)] == ["revoked", "valid"]
    assert revoke_key(stock.library, str(again.id)).id == again.id


def test_an_expired_key_opens_nothing_although_a_server_remembers_it(stock: Stock) -> None:
    info, key = add_key(stock.library, "guest", Scope.READ, timedelta(hours=1))
    remembered = live_keys(stock.library)
    assert match_key(remembered, key) is not None
    with stock.library.write() as session:
        row = session.get(AccessKey, info.id)
        assert row is not None
        row.expires_at = datetime.now(UTC) - timedelta(seconds=1)
    assert live_keys(stock.library) == ()
    assert list_keys(stock.library)[0].state(datetime.now(UTC)) == "expired"
    assert remembered[0].is_valid()
    over = replace(remembered[0], expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert match_key([over], key) is None
    assert not remembered[0].is_valid(datetime.now(UTC) + timedelta(hours=2))
    add_key(stock.library, "guest", Scope.READ)


def test_the_last_use_is_noted_by_the_hour_and_not_at_every_request(stock: Stock) -> None:
    _, key = add_key(stock.library, "phone", Scope.READ)
    found = match_key(live_keys(stock.library), key)
    assert found is not None
    note_use(stock.library, found)
    used = live_keys(stock.library)[0]
    assert used.used_at is not None
    assert (used.used_at.minute, used.used_at.second, used.used_at.microsecond) == (0, 0, 0)
    with stock.library.write() as session:  # what was noted by somebody else is left alone within the hour
        session.scalars(select(AccessKey)).one().used_at = used.used_at - timedelta(minutes=1)
    note_use(stock.library, used)
    assert live_keys(stock.library)[0].used_at == used.used_at - timedelta(minutes=1)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[31m", "x" * 81, "\ud800"])
def test_a_name_that_cannot_be_shown_is_refused(stock: Stock, name: str) -> None:
    with pytest.raises(QueryError, match="name"):
        add_key(stock.library, name, Scope.READ)


def test_lifetimes_are_read() -> None:
    assert lifetime_of("12h") == timedelta(hours=12)
    assert lifetime_of(" 30D ") == timedelta(days=30)
    assert lifetime_of("1y") == timedelta(days=365)
    for wrong in ("", "0d", "1", "d", "-1d", "1m", "999999d", "1.5d"):
        with pytest.raises(QueryError):
            lifetime_of(wrong)


def test_the_digest_is_sha_256() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4, example

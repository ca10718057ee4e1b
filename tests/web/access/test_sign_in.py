"""Browsers: the sign-in page, its cookie, the tokens of forms, and the end of a session."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from search.keys import LiveKey, Scope, add_key, revoke_key
from search.library import Library
from tests.web.access.conftest import PHONE, PROXY, Open, bearer
from web.access import keyring
from web.access.sessions import COOKIE, SECRET_FILE, Sessions

PAGE = {"accept": "text/html"}


def sign_in(client: TestClient, key: str, **form: str) -> str:
    answer = client.post("/sign-in", data={"key": key, **form}, headers={**PAGE, "sec-fetch-site": "same-origin"})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def token_of(client: TestClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]*)"', client.get("/search?q=red", headers=PAGE).text)
    assert found is not None
    return found[1]


def picture(pictures: Path) -> dict[str, tuple[str, bytes]]:
    return {"image": ("red.png", (pictures / "red.png").read_bytes())}


def test_a_browser_is_led_to_sign_in_and_back(opened: Open, keys: dict[Scope, str]) -> None:
    client = opened()
    led = client.get("/search?q=red", headers=PAGE)
    assert led.status_code == 303
    assert led.headers["location"] == "/sign-in?next=%2Fsearch%3Fq%3Dred"
    page = client.get(led.headers["location"], headers=PAGE)
    assert page.status_code == 200
    assert 'value="/search?q=red"' in page.text
    assert sign_in(client, f" {keys[Scope.SEARCH]}\n", next="/search?q=red") == "/search?q=red"
    assert client.get("/search?q=red", headers=PAGE).status_code == 200
    assert "<bdi>search</bdi> (search)" in client.get("/sign-in", headers=PAGE).text


def test_the_cookie_is_for_this_server_alone(opened: Open, keys: dict[Scope, str]) -> None:
    def cookie(client: TestClient, **headers: str) -> str:
        answer = client.post("/sign-in", data={"key": keys[Scope.READ]}, headers=headers)
        return answer.headers["set-cookie"]

    plain = cookie(opened())
    assert plain.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(plain.split("; "))
    assert "Secure" not in plain
    assert keys[Scope.READ] not in plain
    safe = opened(client_at=PROXY, trusted_proxies=PROXY, allowed_hosts="pics.example", root_path="/pics")
    given = {"x-forwarded-proto": "https", "x-forwarded-host": "pics.example", "x-forwarded-for": PHONE}
    assert {"Secure", "Path=/pics/"} <= set(cookie(safe, **given).split("; "))


@pytest.mark.parametrize("key", ["", "x", "dxs_" + "A" * 43, "x" * 5000, "<script>", "\x00"])
def test_what_is_no_key_opens_nothing_and_is_not_repeated(opened: Open, key: str) -> None:
    answer = opened().post("/sign-in", data={"key": key}, headers=PAGE)
    assert answer.status_code in (401, 422)
    assert "set-cookie" not in answer.headers
    assert len(key) < 2 or key not in answer.text


@pytest.mark.parametrize(
    "following", ["//evil.example", "/\\evil.example", "https://evil.example", "", "evil", "/a\r\nb: c"]
)
def test_nobody_is_led_elsewhere(opened: Open, keys: dict[Scope, str], following: str) -> None:
    assert sign_in(opened(), keys[Scope.READ], next=following) == "/"


def test_a_foreign_page_signs_nobody_in(opened: Open, keys: dict[Scope, str]) -> None:
    answer = opened().post("/sign-in", data={"key": keys[Scope.READ]}, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_forms_of_a_session_prove_that_they_are_ours(opened: Open, keys: dict[Scope, str], pictures: Path) -> None:
    client, other = opened(), opened()
    sign_in(client, keys[Scope.SEARCH])
    sign_in(other, keys[Scope.SEARCH])
    token = token_of(client)
    own = {"sec-fetch-site": "same-origin"}
    for wrong in ({}, {"csrf_token": ""}, {"csrf_token": "x"}, {"csrf_token": token_of(other)}):
        answer = client.post("/search", files=picture(pictures), data=wrong, headers=own)
        assert answer.status_code == 403, wrong
        assert answer.json()["type"].endswith(":token-missing")
    assert client.post("/search", files=picture(pictures), data={"csrf_token": token}, headers=own).status_code == 200
    query = {"q": "red"}
    assert client.post("/api/v1/query", json=query, headers=own).status_code == 403
    assert client.post("/api/v1/query", json=query, headers={**own, "x-csrf-token": token}).status_code == 200
    assert client.post("/sign-out", headers=own).status_code == 403
    assert other.post("/api/v1/query", json=query, headers=bearer(keys[Scope.SEARCH])).status_code == 200


def test_who_signs_out_is_out(opened: Open, keys: dict[Scope, str]) -> None:
    client = opened()
    sign_in(client, keys[Scope.SEARCH])
    answer = client.post("/sign-out", data={"csrf_token": token_of(client)})
    assert answer.status_code == 303
    assert client.get("/api/v1/search?q=red").status_code == 401


def test_a_session_ends_with_its_key(
    opened: Open, keyed_home: tuple[Path, dict[Scope, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "FRESH_S", 0.0)
    client = opened()
    with Library.open(keyed_home[0]) as library:
        _, key = add_key(library, "guest", Scope.SEARCH)
        sign_in(client, key)
        assert client.get("/search?q=red", headers=PAGE).status_code == 200
        assert client.get("/api/v1/search?q=red", headers=bearer(key)).status_code == 200
        revoke_key(library, "guest")
    assert client.get("/search?q=red", headers=PAGE).status_code == 303
    assert client.get("/api/v1/search?q=red", headers=bearer(key)).status_code == 401


def test_a_cookie_that_was_touched_or_signed_elsewhere_is_none(
    opened: Open, keys: dict[Scope, str], tmp_path: Path
) -> None:
    client = opened()
    sign_in(client, keys[Scope.ADMIN])
    good = client.cookies[COOKIE]
    elsewhere = Sessions(tmp_path)
    assert elsewhere.read(good) is None
    for cookie in (good[:-2], good + "x", "." + good, good.swapcase(), "", "a.b.c", "x" * 5000):
        assert opened().get("/", headers={"cookie": f"{COOKIE}={cookie}"}).status_code == 401, cookie


def test_a_session_is_of_one_key_and_not_of_another_that_has_its_number(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    key = LiveKey(1, "phone", Scope.READ, "ab" * 32, None, None)
    opened = sessions.read(sessions.begin(key))
    assert opened is not None
    assert opened.is_of(key)
    assert not opened.is_of(replace(key, sha256="cd" * 32))
    assert not opened.is_of(replace(key, id=2))


def test_the_secret_is_kept_for_its_owner_alone_and_made_once(tmp_path: Path) -> None:
    first = Sessions(tmp_path).token("a")
    path = tmp_path / SECRET_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [SECRET_FILE]
    assert Sessions(tmp_path).is_token(first, "a")
    assert not Sessions(tmp_path).is_token(first, "b")
    path.chmod(0o644)
    assert Sessions(tmp_path).is_token(first, "a")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_cannot_be_kept_still_signs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sessions = Sessions(tmp_path / "nowhere")
    assert sessions.is_token(sessions.token("a"), "a")
    assert "sessions end with this server" in caplog.text
    (tmp_path / SECRET_FILE).write_text("")
    weak = Sessions(tmp_path)
    assert not Sessions(tmp_path).is_token(weak.token("a"), "a")

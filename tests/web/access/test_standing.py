"""Whom a server lets in, decided by its settings; who is here, and who only says so."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path

import pytest

from search.errors import SettingsError
from search.keys import Scope
from search.settings import Settings, load_settings
from tests.web.access.conftest import PHONE, PROXY, Open, bearer
from web.access.lan import lan_addresses
from web.access.standing import Standing, addresses, read_rules, require_access


def settings(home: Path, **changes: object) -> Settings:
    return load_settings({}, home=home, **changes)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.5.5.5"])
def test_loopback_needs_nothing(tmp_path: Path, host: str) -> None:
    asked = settings(tmp_path, host=host)
    assert read_rules(asked).standing is Standing.LOCAL
    assert require_access(asked) == ["It answers this machine alone, without a key."]


@pytest.mark.parametrize("changes", [{"host": "0.0.0.0"}, {"host": "192.168.1.5"}, {"trusted_proxies": "127.0.0.1"}])
def test_a_server_that_others_reach_does_not_start_without_a_word(
    tmp_path: Path, keyed_home: tuple[Path, object], changes: dict[str, str]
) -> None:
    with pytest.raises(SettingsError) as refused:
        require_access(settings(tmp_path / "new", **changes))
    for way in ("deixis keys add", "--trusted-user-header", "--open", "docs/access.md"):
        assert way in str(refused.value)
    assert not (tmp_path / "new").exists()
    assert "OPEN" in require_access(settings(tmp_path, open=1, **changes))[0]
    assert "4 keys" in require_access(settings(keyed_home[0], **changes))[0]
    named = {**changes, "trusted_proxies": "127.0.0.1", "trusted_user_header": "Remote-User"}
    assert require_access(settings(tmp_path, **named)) == ["It believes Remote-User of 127.0.0.1."]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trusted_user_header": "Remote-User"}, "--trusted-proxies"),
        ({"trusted_user_header": "Remote User", "trusted_proxies": "::1"}, "Remote-User"),
        ({"trusted_proxies": "10.0.0.1/8"}, "10.0.0.1/8"),
        ({"trusted_proxies": "proxy"}, "proxy"),
        ({"trusted_user_scope": "root"}, "read, search, jobs, admin"),
        ({"cors_origins": "*"}, "no origin"),
        ({"cors_origins": "https://a.example/path"}, "no origin"),
        ({"root_path": "pictures"}, "/pictures"),
        ({"root_path": "/a b"}, "/pictures"),
        ({"rate_limits": "search=0/10"}, "no rate"),
        ({"rate_limits": "all=1/10"}, "no rate"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_rules(settings(tmp_path, **changes))
    assert message in str(refused.value)


def test_every_address_of_the_machine_is_told(tmp_path: Path) -> None:
    told = addresses(settings(tmp_path, host="0.0.0.0", root_path="/pics"))
    assert told[0] == "http://127.0.0.1:8484/pics/"
    own = [address for address in lan_addresses() if ":" not in address]
    assert told[1:] == [f"http://{address}:8484/pics/" for address in own]
    for address in lan_addresses():
        assert not ipaddress.ip_address(address).is_loopback
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))  # the system takes only addresses of its own
    assert addresses(settings(tmp_path, host="192.168.1.5")) == ["http://192.168.1.5:8484/"]


def test_a_loopback_server_answers_this_machine_alone(opened: Open) -> None:
    open_local = opened(client_at="127.0.0.1", host="127.0.0.1:8484", bind="127.0.0.1")
    assert open_local.get("/api/v1/search?q=red").status_code == 200
    assert open_local.get("/readyz", headers={"host": "localhost:1"}).status_code == 200
    for header in ("x-forwarded-for", "x-real-ip", "forwarded", "x-forwarded-host", "x-forwarded-proto"):
        answer = open_local.get("/api/v1/search?q=red", headers={header: PHONE})
        assert answer.status_code in (403, 421), header
    elsewhere = opened(host="127.0.0.1:8484", bind="127.0.0.1", allowed_hosts="127.0.0.1")
    answer = elsewhere.get("/api/v1/search?q=red")  # a server program that binds what it was not told here
    assert answer.json()["type"].endswith(":not-from-here")


def test_an_open_server_lets_others_search_and_no_more(opened: Open, keys: dict[Scope, str]) -> None:
    client = opened(open=1)
    assert client.get("/api/v1/search?q=red").status_code == 200
    assert client.post("/api/v1/query", json={"q": "red"}).status_code == 200
    assert client.get("/api/v1/search?q=red", headers=bearer("dxs_" + "A" * 43)).status_code == 401
    hit = client.get("/api/v1/search?q=red&k=1").json()["hits"][0]
    assert "/" not in hit["path"]
    admin = client.get("/api/v1/search?q=red&k=1", headers=bearer(keys[Scope.ADMIN])).json()["hits"][0]
    assert admin["path"].endswith(f"/{hit['path']}")


def test_a_named_proxy_says_who_it_has_let_in_and_nobody_else_does(opened: Open) -> None:
    asked = {"trusted_proxies": PROXY, "trusted_user_header": "Remote-User", "allowed_hosts": "pics.example"}
    said = {"remote-user": "ana", "x-forwarded-for": PHONE, "x-forwarded-host": "pics.example"}
    proxy = opened(client_at=PROXY, **asked)
    assert proxy.get("/api/v1/search?q=red", headers=said).status_code == 200
    assert proxy.get("/api/v1/search?q=red", headers={**said, "remote-user": " "}).status_code == 401
    direct = opened(**asked)
    assert direct.get("/api/v1/search?q=red", headers=said).status_code == 401
    post = {"json": {"q": "red"}}
    assert proxy.post("/api/v1/query", headers=said, **post).status_code == 403  # its browser is let in by itself

"""Names, proxies, sub-paths, other origins, rates, and where files lie: what each request is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from search.keys import Scope
from tests.web.access.conftest import PHONE, PROXY, Open, bearer
from web.access.hosts import MAX_HEADERS, MAX_TARGET_BYTES
from web.access.rates import DEFAULTS, Buckets, Rate, read_rates
from web.middleware import SECURITY_HEADERS
from web.templating import without_paths

PAGE = {"accept": "text/html"}
ALLOWED = [
    ("GET", "/search?q=red", {"sec-fetch-site": "same-origin"}),
    ("GET", "/search?q=red", {"sec-fetch-site": "none"}),
    (
        "GET",
        "/search?q=red",
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
    ),
    ("GET", "/search?q=red", {"referer": "https://chat.example/room"}),
    ("GET", "/api/v1/search?q=red", {"referer": "http://192.168.1.5:8484/search"}),
    ("GET", "/api/v1/search?q=red", {"origin": "http://192.168.1.5:8484"}),
    ("GET", "/api/v1/images/1", {"sec-fetch-site": "cross-site"}),
    ("POST", "/api/v1/query", {"sec-fetch-site": "same-origin", "origin": "https://behind.example"}),
    ("POST", "/api/v1/query", {}),
]


@pytest.mark.parametrize(("method", "address", "headers"), ALLOWED, ids=str)
def test_our_own_pages_links_and_programs_are_answered(
    opened: Open, keys: dict[Scope, str], method: str, address: str, headers: dict[str, str]
) -> None:
    body = {"json": {"q": "red"}} if method == "POST" else {}
    answer = opened().request(method, address, headers={**headers, **bearer(keys[Scope.SEARCH])}, **body)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("host", "status"),
    [("192.168.1.5", 200), ("10.9.8.7:8484", 200), ("[2001:db8::1]:8484", 200), ("pics.example", 200), ("nas", 421)],
)
def test_a_server_on_every_address_answers_to_addresses_and_its_names(opened: Open, host: str, status: int) -> None:
    assert opened(allowed_hosts="pics.example").get("/healthz", headers={"host": host}).status_code == status
    one = opened(bind="192.168.1.5").get("/healthz", headers={"host": host})
    assert one.status_code == (200 if host == "192.168.1.5" else 421)


def test_localhost_is_for_who_is_here_or_where_it_is_listed(opened: Open) -> None:
    here = {"host": "localhost:8484"}
    assert opened(client_at="127.0.0.1").get("/healthz", headers=here).status_code == 200
    assert opened(client_at="::1").get("/healthz", headers=here).status_code == 200
    assert opened().get("/healthz", headers=here).status_code == 421
    assert opened(client_at="127.0.0.1").get("/healthz", headers={**here, "x-forwarded-for": PHONE}).status_code == 421
    assert opened(allowed_hosts="localhost").get("/healthz", headers=here).status_code == 200


def test_a_browser_that_asks_by_a_foreign_name_sees_a_page_with_its_styles(opened: Open) -> None:
    client = opened()
    answer = client.get("/search?q=red", headers={**PAGE, "host": "evil.example"})
    assert answer.status_code == 421
    assert answer.headers["content-type"].startswith("text/html")
    assert "DEIXIS_ALLOWED_HOSTS" in answer.text
    sheet = re.search(r'href="(/static/base\.css[^"]*)"', answer.text)
    assert sheet is not None
    assert client.get(sheet[1], headers={"host": "evil.example"}).status_code == 200


def test_a_head_that_is_too_large_is_refused_in_words(opened: Open) -> None:
    client = opened()
    long = client.get("/healthz?" + "a" * MAX_TARGET_BYTES)
    many = client.get("/healthz", headers={f"x-{number}": "1" for number in range(MAX_HEADERS)})
    large = client.get("/healthz", headers={"x": "1" * 70_000})
    assert [answer.status_code for answer in (long, many, large)] == [414, 431, 431]
    for answer in (long, many, large):
        assert answer.json()["detail"]
        assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_a_refusal_carries_the_security_headers_and_is_not_kept(opened: Open, keys: dict[Scope, str]) -> None:
    client = opened()
    refused = [
        client.get("/api/v1/search?q=red"),
        client.get("/", headers=PAGE),
        client.get("/api/v1/search?q=red", headers={"origin": "https://evil.example"}),
        client.get("/healthz", headers={"host": "evil.example"}),
    ]
    assert [answer.status_code for answer in refused] == [401, 303, 403, 421]
    for answer in refused:
        assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert answer.headers["cache-control"] == "no-store"


def test_only_a_named_origin_may_ask_and_never_with_cookies(opened: Open, keys: dict[Scope, str]) -> None:
    client = opened(cors_origins="https://photos.example,http://localhost:3000")
    asks = {"access-control-request-method": "GET", "access-control-request-headers": "authorization"}
    for origin in ("https://photos.example", "http://localhost:3000"):
        before = client.options("/api/v1/search", headers={"origin": origin, **asks})
        assert before.status_code == 200
        assert before.headers["access-control-allow-origin"] == origin
        answer = client.get("/api/v1/search?q=red", headers={"origin": origin, **bearer(keys[Scope.SEARCH])})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert "origin" in answer.headers["vary"].lower()
        assert "access-control-allow-credentials" not in {**before.headers, **answer.headers}
    for origin in ("https://photos.example.evil.example", "http://photos.example", "null"):
        assert client.options("/api/v1/search", headers={"origin": origin, **asks}).status_code == 400
        answer = client.get("/api/v1/search?q=red", headers={"origin": origin, **bearer(keys[Scope.SEARCH])})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


LINK = re.compile(r'(?:href|src|action)="([^"#][^"]*)"')
FORWARDED = {"x-forwarded-for": PHONE, "x-forwarded-host": "pics.example", "x-forwarded-proto": "https"}


@pytest.mark.parametrize("how", ["setting", "header"])
def test_below_a_path_every_link_begins_with_it(opened: Open, keys: dict[Scope, str], how: str) -> None:
    below = {"root_path": "/pics"} if how == "setting" else {}
    client = opened(client_at=PROXY, trusted_proxies=PROXY, allowed_hosts="pics.example", **below)
    sent = {**FORWARDED, **bearer(keys[Scope.ADMIN])} | ({} if below else {"x-forwarded-prefix": "/pics/"})
    for address in ("/", "/search?q=red", "/images/1?q=red", "/images/1?heat=red", "/nothing", "/search?like=1"):
        for asked in (address, "/pics" + address):
            answer = client.get(asked, headers={**sent, **PAGE})
            links = LINK.findall(answer.text)
            assert len(links) > 5
            assert [link for link in links if not link.startswith("/pics/")] == [], asked
    assert client.get("/pics", headers={**sent, **PAGE}).status_code == 200
    hit = client.get("/pics/api/v1/search?q=red&k=1", headers=sent).json()
    told = [hit["next"], *hit["hits"][0]["links"].values()]
    assert all(link.startswith("/pics/") for link in told)
    assert client.get(hit["hits"][0]["links"]["large"], headers=sent).status_code == 200
    sheet = next(link for link in links if "base.css" in link)
    assert client.get(sheet, headers=sent).status_code == 200
    assert client.get("/pics/nothing", headers=sent).json()["instance"] == "/pics/nothing"
    moved = client.get("/search?q=", headers=sent)
    assert moved.headers["location"] == "/pics/"


def test_what_an_unnamed_proxy_says_is_not_believed(opened: Open, keys: dict[Scope, str]) -> None:
    client = opened(trusted_proxies=PROXY)
    sent = {**FORWARDED, "x-forwarded-prefix": "/pics", **bearer(keys[Scope.ADMIN])}
    answer = client.get("/search?q=red", headers={**sent, **PAGE})
    assert answer.status_code == 200
    assert "/pics" not in answer.text


@pytest.mark.parametrize("prefix", ["//evil.example", "https://evil.example", "/a b", '/"><script>', "pics", "/.."])
def test_a_prefix_that_is_no_path_is_ignored(opened: Open, keys: dict[Scope, str], prefix: str) -> None:
    client = opened(client_at=PROXY, trusted_proxies=PROXY, allowed_hosts="pics.example")
    sent = {**FORWARDED, "x-forwarded-prefix": prefix, **bearer(keys[Scope.ADMIN]), **PAGE}
    links = LINK.findall(client.get("/", headers=sent).text)
    assert all(re.match(r"/[a-z]*", link) and not link.startswith(("//", "/a%", "/..")) for link in links)
    assert all("script" not in link and "evil" not in link for link in links)


def test_the_client_is_the_last_address_that_is_no_proxy(opened: Open) -> None:
    asked = {"trusted_proxies": f"{PROXY},10.0.0.0/24", "open": 1, "rate_limits": "search=0.001/1"}
    proxy = opened(client_at=PROXY, host="10.0.0.1", **asked)

    def status(chain: str) -> int:
        return proxy.get("/api/v1/search?q=red", headers={"x-forwarded-for": chain}).status_code

    assert status("1.1.1.1, 203.0.113.7, 10.0.0.9") == 200
    assert status("9.9.9.9, 203.0.113.7") == 429  # what stands before it anybody can write
    assert status("203.0.113.8:4711") == 200
    assert status("[2001:db8:1:2::7]:1") == 200
    assert status("2001:db8:1:2:ffff::8") == 429  # the same network of 64 bits
    assert status("127.0.0.1") == 200
    assert status("127.0.0.1") == 429  # not this machine: a proxy says so


def test_who_asks_too_often_waits_and_others_do_not(opened: Open, keys: dict[Scope, str]) -> None:
    client = opened(rate_limits="search=0.001/3")
    search, read = bearer(keys[Scope.SEARCH]), bearer(keys[Scope.ADMIN])
    assert [client.get("/api/v1/search?q=red", headers=search).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = client.get("/api/v1/search?q=red", headers=search)
    assert 900 <= int(refused.headers["retry-after"]) <= 1001
    assert refused.json()["type"].endswith(":too-many-requests")
    assert client.get("/api/v1/search?q=red", headers=read).status_code == 200
    assert client.get("/api/v1/images/1", headers=search).status_code == 200


def test_a_bucket_fills_again_and_no_more_than_full() -> None:
    now = [0.0]
    buckets = Buckets({"search": Rate(2, 3)}, clock=lambda: now[0])
    assert [buckets.wait_s("a", "search") for _ in range(4)] == [0, 0, 0, 0.5]
    now[0] += 0.5
    assert [buckets.wait_s("a", "search") for _ in range(2)] == [0, 0.5]
    now[0] += 1000
    assert [buckets.wait_s("a", "search") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait_s("b", "search") == buckets.wait_s("a", "read") == buckets.wait_s("", "search") == 0


def test_rates_are_read_over_the_defaults() -> None:
    assert read_rates(None) == DEFAULTS
    assert read_rates(" OFF ") == {}
    assert read_rates("search=20/200, costly=0.5/9") == {**DEFAULTS, "search": Rate(20, 200), "costly": Rate(0.5, 9)}


@pytest.mark.parametrize("scope", list(Scope))
def test_folders_are_told_to_admin_alone(opened: Open, keys: dict[Scope, str], pictures: Path, scope: Scope) -> None:
    folder, headers = str(pictures), bearer(keys[scope])
    addresses = ["/api/v1/images/1", "/images/1"]
    addresses += ["/api/v1/search?q=red", "/search?q=red"] if scope >= Scope.SEARCH else []
    for address in addresses:
        told = opened().get(address, headers=headers).text
        assert (folder in told) is (scope is Scope.ADMIN), address
        assert folder in opened(show_paths=1).get(address, headers=headers).text, address


def test_folders_are_counted_for_admin_alone(opened: Open, keys: dict[Scope, str]) -> None:
    for scope in (Scope.SEARCH, Scope.ADMIN):
        found = opened().get("/api/v1/facets", headers=bearer(keys[scope])).json()
        assert ("folder" in [facet["name"] for facet in found["facets"]]) is (scope is Scope.ADMIN)
        page = opened().get("/search?q=red&filters=true", headers=bearer(keys[scope])).text
        assert ("folder%3A" in page) is (scope is Scope.ADMIN)


def test_a_job_tells_its_folders_to_admin_alone(opened: Open, keys: dict[Scope, str], pictures: Path) -> None:
    client, folder = opened(), str(pictures)
    asked = {"kind": "index", "folders": [folder]}
    made = client.post("/api/v1/jobs", json=asked, headers=bearer(keys[Scope.ADMIN]))
    assert made.status_code == 201
    address = made.headers["location"]
    for where in (address, f"{address}/events", "/api/v1/jobs", address.removeprefix("/api/v1"), "/jobs", "/library"):
        for scope in (Scope.JOBS, Scope.ADMIN):
            answer = client.get(where, headers=bearer(keys[scope]))
            assert answer.status_code == 200
            if scope is Scope.JOBS:
                assert folder not in answer.text, where
            elif where in (address, "/library"):
                assert folder in answer.text


def test_a_message_that_names_a_folder_keeps_it_to_itself(opened: Open, keys: dict[Scope, str], tmp_path: Path) -> None:
    gone = tmp_path / "My Pictures" / "gone"
    client = opened(open=1, home=gone)
    for address in ("/readyz", "/api/v1/search?q=red"):
        answer = client.get(address)
        assert answer.status_code == 503
        assert "My Pictures" not in answer.text
        assert str(tmp_path) not in answer.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no library at /home/ana/My Pictures/deixis.db: gone", "no library at …/deixis.db: gone"),
        ("'/a/b' is not /c/d", "'…/b' is not …/d"),
        ("run `deixis index` over and/or again", "run `deixis index` over and/or again"),
        ("at /x", "at /x"),
    ],
)
def test_folders_are_taken_out_of_sentences(text: str, told: str) -> None:
    assert without_paths(text) == told

"""Requests that no page of ours makes: whatever a parameter, a path or a header holds, the answer is never a 500."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.drawing import examples
from tests.web.conftest import StartServer
from web.errors import PROBLEM_JSON, TYPE_PREFIX

EXPECTED = {"no-captioner", "no-heat-map"}
"""Refusals of the 5xx family that a library without such models rightly gives."""

RAW = st.one_of(
    st.binary(max_size=24).map(lambda data: quote(data, safe="")),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=24).map(quote),
    st.integers(-(2**80), 2**80).map(str),
    st.sampled_from(
        [
            "%00", "red%00blue", "%ED%A0%80", "%F0%28%8C%28", "%ff%fe", "%", "%zz", "1e9", "0x10", "١", "1.0", "-0",
            "+1", "NaN", "null", "[]",
            "9" * 400, "9" * 5000, "a" * 999, "a" * 1001, "%F0%9F%90%B6" * 999, "犬" * 1000,
            "%E2%80%AE",
            str(2**63), str(2**63 - 1), str(-(2**63)), "100000", "100001", "<phrase>", "*", "\"", "' OR 1=1 --", "(",
            "NEAR(",
        ]
    ),
)  # fmt: skip

PARAMETERS = {
    "/api/v1/search": ("q", "like", "k", "offset", "date"),
    "/search": ("q", "like", "k", "page"),
    "/api/v1/images/{id}": (),
    "/api/v1/images/{id}/heatmap": ("q",),
    "/api/v1/images/{id}/ask": ("question",),
    "/images/{id}": ("q", "heat", "ask"),
    "/media/{id}/gallery": ("v",),
    "/media/{id}/page": ("v",),
    "/media/{id}/heat.png": ("q", "v"),
    "/media/{id}/original": (),
    "/static/{id}": ("v",),
    "/{id}": (),
    "/api/v1/{id}": (),
    "/": ("q",),
    "/readyz": ("x",),
}
HEADERS = st.dictionaries(
    st.sampled_from(["accept", "if-none-match", "range", "accept-language", "x-forwarded-for", "cookie"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=40).map(
        lambda text: text.encode("latin-1")
    ),
    max_size=2,
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, dict[str, bytes]]:
    route = draw(st.sampled_from(sorted(PARAMETERS)))
    number = draw(st.sampled_from(["1", "2", "999999"]) | RAW)
    names = draw(st.lists(st.sampled_from(PARAMETERS[route]), max_size=4)) if PARAMETERS[route] else []
    query = "&".join(f"{name}={draw(RAW)}" for name in names)
    return route.replace("{id}", number) + (f"?{query}" if query else ""), draw(HEADERS)


def is_answered(client: TestClient, method: str, address: str, **sent: Any) -> None:
    answer = client.request(method, address, follow_redirects=False, **sent)
    if answer.status_code >= 400 and answer.headers["content-type"] == PROBLEM_JSON:
        problem = json.loads(answer.content.decode())
        slug = problem["type"].removeprefix(TYPE_PREFIX)
        assert answer.status_code < 500 or slug in EXPECTED, problem
        assert len(answer.content) < 20_000, "an error repeats what it was sent"
    else:
        assert answer.status_code < 500 or address.startswith("/images/"), answer.text


@examples(300)
@given(requests())
def test_no_parameter_is_answered_with_an_internal_error(
    client: TestClient, request_: tuple[str, dict[str, bytes]]
) -> None:
    address, headers = request_
    is_answered(client, "GET", address, headers=headers)


CHARSETS = [
    "utf-16",
    "unicode_escape",
    "utf-7",
    "idna",
    "punycode",
    "hex",
    "rot13",
    "\0",
    "x" * 300,
    "undefined",
    "latin-1",
]
NAMES = [
    b"a\\ud800.png",
    b"\xff\xfe.png",
    b"../../etc/passwd",
    b"a" * 5000,
    b"%00",
    b"",
    b"a\x00b.png",
    b"xn--\xff.png",
    b'a\\".png',
]


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_an_upload_is_answered_with_an_internal_error(client: TestClient, charset: str, name: bytes) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="' + name + b'"\r\n\r\n'
    for address in ("/api/v1/search", "/search"):
        is_answered(
            client,
            "POST",
            address,
            content=head + b"no picture\r\n--x--\r\n",
            headers={"content-type": f"multipart/form-data; boundary=x; charset={charset}".encode("latin-1")},
        )


KINDS = [
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    'multipart/form-data; boundary="',
    "multipart/form-data; boundary=" + "x" * 300,
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "",
]


@examples(60)
@given(body=st.binary(max_size=200), kind=st.sampled_from(KINDS))
def test_no_body_is_answered_with_an_internal_error(client: TestClient, body: bytes, kind: str) -> None:
    is_answered(client, "POST", "/api/v1/search?k=3", content=b"--x\r\n" + body, headers={"content-type": kind})


RAW_REQUESTS = [
    b"GET /%ff%fe HTTP/1.1",
    b"GET /static/%00 HTTP/1.1",
    b"GET /static/%ED%A0%80 HTTP/1.1",
    b"GET /api/v1/images/%ff HTTP/1.1",
    b"GET /api/v1/search?q=%ED%A0%80 HTTP/1.1",
    b"GET /api/v1/search?q=%ff&like=%00 HTTP/1.1",
    b"GET /media/1/gallery?v=%ff HTTP/1.1\r\nIf-None-Match: \xff\xfe",
    b"GET /search?q=a HTTP/1.1\r\nAccept: text/html\r\nCookie: \xff",
    b"GET //search?q=a HTTP/1.1",
    b"GET /api/v1/search?q=" + b"a" * 4000 + b" HTTP/1.1",
]


def test_the_real_server_answers_raw_requests_without_an_internal_error(home: Path, start_server: StartServer) -> None:
    with start_server(home) as (address, _):
        place = urlsplit(address)
        for request in RAW_REQUESTS:
            with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
                connection.sendall(request + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = connection.makefile("rb").readline()
            assert answer.startswith(b"HTTP/1.1 "), (request, answer)
            assert int(answer.split()[1]) < 500, (request, answer)

"""Pictures from URLs: asked of a real server on this machine, and only because a setting allows its address."""

from __future__ import annotations

import contextlib
import http.server
import io
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image as Pictures
from sqlalchemy import select

from indexer.addresses import FetchError, may_ask, parse_url, read_networks
from indexer.fetching import MAX_REDIRECTS, Connections, FetchLimits, fetch
from indexer.forget import forget
from indexer.options import IndexOptions
from indexer.pipeline import index_paths
from indexer.report import IndexReport, Progress
from indexer.url_list import read_urls
from search.db.schema import File
from search.kept import kept_copies
from search.library import Library
from search.maintenance import verify
from search.results import SearchRequest
from search.service import SearchService
from vision.encoders.base import EncoderFacts
from vision.encoders.colour import ColourEncoder

HERE = FetchLimits(max_bytes=100_000, timeout_s=20, allowed=read_networks("127.0.0.1/32"))
OPTIONS = IndexOptions(decode_workers=1, batch_size=4, fetching=HERE)


def picture(colour: str, width: int = 48) -> bytes:
    file = io.BytesIO()
    Pictures.new("RGB", (width, 32), colour).save(file, "PNG")
    return file.getvalue()


@dataclass
class Server:
    """A server on this machine.

    Attributes:
        asked: paths, in the order in which they were asked for.
        ended: set when the test is over: answers that never come may end.
    """

    url: str = ""
    port: int = 0
    asked: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            path = urlsplit(self.path).path
            if path.startswith("/redirect/"):
                self._answer(302, {"Location": unquote(self.path.removeprefix("/redirect/"))})
            elif path == "/loop":
                self._answer(302, {"Location": "/loop"})
            elif path == "/packed":
                self._answer(200, {"Content-Encoding": "gzip"}, b"x")
            elif path == "/cut":
                self._answer(200, {"Content-Length": "999"}, b"x")
            elif path in ("/large", "/endless"):
                self._answer(200, {"Content-Length": "200000"} if path == "/large" else {}, bytes(200_000))
            elif path == "/never":
                state.ended.wait()
            elif path == "/trickle":
                self.send_response(200)
                self.end_headers()
                while not state.ended.wait(0.05):
                    self.wfile.write(b"x")
            elif path.startswith("/colour/"):
                self._answer(200, {"Content-Type": "text/html"}, picture(path.split("/")[2]))
            elif path == "/page":
                self._answer(200, {"Content-Type": "image/jpeg"}, b"<html>no picture</html>")
            else:
                self._answer(404, {})

        def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # whoever asked has hung up, as it should
                super().handle()

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.port = served.server_address[1]
    state.url = f"http://127.0.0.1:{state.port}"
    yield state
    state.ended.set()
    served.shutdown()
    served.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("::ffff:8.8.8.8", True), ("64:ff9b::808:808", True),
        ("127.0.0.1", False), ("127.9.9.9", False), ("10.0.0.1", False), ("172.16.0.1", False), ("192.168.1.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False), ("255.255.255.255", False),
        ("224.0.0.1", False), ("239.1.1.1", False), ("240.0.0.1", False), ("192.0.2.1", False), ("198.18.0.1", False),
        ("::1", False), ("::", False), ("fe80::1", False), ("fc00::1", False), ("fd00::1", False), ("ff02::1", False),
        ("::ffff:127.0.0.1", False), ("::ffff:10.0.0.1", False), ("::ffff:169.254.169.254", False),
        ("::127.0.0.1", False), ("64:ff9b::7f00:1", False), ("2002:7f00:1::1", False), ("2002:a00:1::", False),
        ("2001:db8::1", False),
    ],
)  # fmt: skip
def test_only_public_addresses_are_asked(address: str, public: bool) -> None:
    assert may_ask(ip_address(address)) is public


def test_a_setting_allows_a_network_and_no_other() -> None:
    allowed = read_networks("127.0.0.1/32, fd00::/8")
    assert may_ask(ip_address("127.0.0.1"), allowed)
    assert may_ask(ip_address("fd12::1"), allowed)
    assert may_ask(ip_address("::ffff:127.0.0.1"), allowed)
    assert not may_ask(ip_address("127.0.0.2"), allowed)
    assert not may_ask(ip_address("10.0.0.1"), allowed)
    with pytest.raises(FetchError):
        read_networks("127.0.0.1/99")


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("HTTP://Example.ORG", "http://example.org/"), ("https://example.org:443/a b.jpg#part", "https://example.org/a%20b.jpg"),
        ("http://example.org:8080/é?q=ü&x=1", "http://example.org:8080/%C3%A9?q=%C3%BC&x=1"),
        ("https://bücher.example/a%20b.jpg", "https://xn--bcher-kva.example/a%20b.jpg"), ("http://[::1]:80/a", "http://[::1]/a"),
    ],
)  # fmt: skip
def test_a_url_is_spelled_in_one_way(url: str, stored: str) -> None:
    assert parse_url(url).url == stored == parse_url(stored).url


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/a.jpg", "file:///etc/passwd", "gopher://x/", "data:image/png,x", "example.org/a.jpg", "http://",
        "http:///a",
        "http://user:secret@example.org/", "http://example.org:99999/", "http://example.org:0/", "http://exa mple.org/",
        "http://[::1", "http://" + "a" * 300 + ".org/", "http://example.org/" + "a" * 9000, "//example.org/a", "",
        "javascript:alert(1)",
    ],
)  # fmt: skip
def test_what_is_no_url_of_a_picture_is_refused(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        parse_url(url)
    assert caught.value.code == "bad_url"


def test_a_list_is_one_url_a_line() -> None:
    assert read_urls(b"\xef\xbb\xbfhttp://a/\r\n\n # x\nhttp://b/\nhttp://a/\n\xff") == [
        "http://a/",
        "http://b/",
        "\ufffd",
    ]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/none.png", "not_fetched"), ("/loop", "not_fetched"), ("/packed", "not_fetched"), ("/cut", "not_fetched"),
        ("/large", "too_large"), ("/endless", "too_large"),
        ("/redirect/http://127.0.0.2/a.png", "forbidden_address"), ("/redirect/http://[::1]/", "forbidden_address"),
        ("/redirect/http://169.254.169.254/latest/meta-data", "forbidden_address"),
        ("/redirect/file:///etc/passwd", "bad_url"),
    ],
)  # fmt: skip
def test_what_a_server_may_not_do(server: Server, path: str, code: str) -> None:
    with pytest.raises(FetchError) as caught:
        fetch(server.url + path, HERE)
    assert caught.value.code == code
    assert len(server.asked) <= MAX_REDIRECTS + 1


@pytest.mark.parametrize("path", ["/never", "/trickle"])
def test_a_server_that_lets_wait_is_left(server: Server, path: str) -> None:
    with pytest.raises(FetchError) as caught:
        fetch(server.url + path, replace(HERE, timeout_s=0.3))
    assert caught.value.code == "timeout"


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x03\x40\x00", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_speaks_no_tls_is_left(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(FetchError) as caught:
        with ThreadPoolExecutor(1) as pool:
            fetched = pool.submit(
                fetch, f"https://127.0.0.1:{listening.getsockname()[1]}/a", replace(HERE, timeout_s=0.5)
            )
            asked, _ = listening.accept()
            with asked:
                asked.sendall(said)
                fetched.exception()
        fetched.result()
    assert caught.value.code in ("timeout", "not_fetched")


def test_whoever_is_stopped_waits_for_no_server(server: Server) -> None:
    connections = Connections()
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(fetch, server.url + path, HERE, connections) for path in ("/never", "/trickle")]
        while len(server.asked) < 2:
            threading.Event().wait(0.01)
        connections.hang_up()
        codes = {one.exception().code for one in waiting}  # type: ignore[union-attr]  # each raises a FetchError
    assert codes <= {"not_fetched"} | {"timeout"}
    with pytest.raises(FetchError):
        fetch(server.url + "/colour/red", HERE, connections)


def test_without_the_setting_this_machine_is_not_asked(server: Server) -> None:
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"):
        with pytest.raises(FetchError) as caught:
            fetch(f"http://{host}:{server.port}/colour/red", replace(HERE, allowed=()))
        assert caught.value.code in ("forbidden_address", "not_fetched")
    assert server.asked == []


def test_a_name_is_looked_up_once_and_that_answer_is_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against DNS that answers otherwise the second time."""
    answers = iter([[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]])
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: next(answers))
    assert fetch(f"http://pictures.example:{server.port}/colour/red", HERE) == picture("red")


def test_a_name_with_one_private_address_is_not_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("127.0.0.1", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(FetchError, match=r"10\.0\.0\.1"):
        fetch("http://pictures.example/colour/red", HERE)
    assert server.asked == []


class OtherEncoder(ColourEncoder):
    """The same under another revision."""

    @property
    def facts(self) -> EncoderFacts:
        return replace(super().facts, revision="2")


def codes(report: IndexReport) -> Counter[str]:
    return Counter(file.reason.partition(":")[0] for file in report.refused)


def test_fetched_pictures_are_kept_and_nobody_is_asked_again(
    library: Library, encoder: ColourEncoder, server: Server
) -> None:
    urls = [f"{server.url}/colour/{colour}/{colour}.png" for colour in ("red", "green", "blue")]
    urls += [f"{server.url}/redirect//colour/pink", f"{server.url}/none.png", f"{server.url}/page", "ftp://x/"]
    options = replace(OPTIONS, urls=tuple(urls))
    report = index_paths(library, encoder, [], options)
    assert (report.embedded, codes(report)) == (4, Counter(not_fetched=1, not_an_image=1, bad_url=1))
    assert len(list(kept_copies(library.home))) == 4  # and nothing of what is no picture
    with library.read() as session:
        paths = set(session.scalars(select(File.path).where(File.state == "indexed")))
    assert paths == set(urls[:4])
    asked = len(server.asked)
    report = index_paths(library, encoder, [], options)
    assert (report.embedded, report.unchanged) == (0, 4)
    assert server.asked[asked:] == ["/none.png"]
    assert index_paths(library, encoder, [], OPTIONS).refused == []
    assert server.asked[asked:] == ["/none.png"]
    hits = SearchService(library, encoder).search(SearchRequest(text="name:red.png")).hits
    assert [hit.path for hit in hits] == [urls[0]]
    assert verify(library).findings == []
    report_forget = forget(library, [urls[0]])
    assert (report_forget.files, report_forget.pictures, report_forget.excluded) == (1, 1, [])
    assert len(list(kept_copies(library.home))) == 3
    assert forget(library, [server.url]).pictures == 3
    assert list(kept_copies(library.home)) == []


def test_whoever_stops_a_long_list_loses_little_of_it(
    library: Library, encoder: ColourEncoder, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.inlets._FETCHED", 2)
    urls = tuple(f"{server.url}/colour/{colour}" for colour in ("red", "green", "blue", "pink", "black"))
    steps: list[tuple[int, int | None]] = []

    def stop(step: Progress) -> None:
        if step.stage == "fetch":
            steps.append((step.done, step.total))
            if step.done == 5:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index_paths(library, encoder, [], replace(OPTIONS, urls=urls), stop)
    assert steps == [(number, 5) for number in range(1, 6)]
    asked = len(server.asked)
    report = index_paths(library, encoder, [], replace(OPTIONS, urls=urls))
    assert (report.embedded, report.unchanged) == (1, 4)
    assert server.asked[asked:] == ["/colour/black"]
    assert verify(library).findings == []


def test_another_model_looks_at_the_copies(library: Library, encoder: ColourEncoder, server: Server) -> None:
    index_paths(library, encoder, [], replace(OPTIONS, urls=(f"{server.url}/colour/red",)))
    asked = list(server.asked)
    report = index_paths(library, OtherEncoder(), [], replace(OPTIONS, replace_model=True))
    assert report.embedded == 1
    assert server.asked == asked
    assert verify(library).findings == []


def test_a_copy_that_is_lost_is_named(library: Library, encoder: ColourEncoder, server: Server) -> None:
    index_paths(library, encoder, [], replace(OPTIONS, urls=(f"{server.url}/colour/red", f"{server.url}/colour/blue")))
    lost, changed = (path for path, _ in kept_copies(library.home))
    lost.unlink()
    changed.write_bytes(b"other")
    (Path(lost.parent.parent) / "stranger").write_bytes(b"x")
    assert Counter(finding.code for finding in verify(library).findings) == {
        "copy_missing": 1, "copy_damaged": 1, "stray_copy": 1,
    }  # fmt: skip

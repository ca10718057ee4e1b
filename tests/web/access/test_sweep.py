"""Every route × no key × foreign origin × bad host: what costs, changes or tells anything is refused."""

from __future__ import annotations

from typing import Any

import pytest

from search.keys import Scope
from tests.web.access.conftest import Open, bearer
from tests.web.test_openapi import routes_of
from web.access.origins import SAFE
from web.access.rules import RULES, Rule, rule_for

GUARDED = [rule for rule in RULES if rule.scope is not None]
COSTLY = [rule for rule in RULES if rule.method not in SAFE or rule.rate in ("search", "costly", "write")]
SWEPT = [rule.given({one}) for rule in RULES for one in rule.where]
FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "origin": "http://192.168.1.5:3000"},
    {"sec-fetch-site": "CROSS-SITE", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
]


def address(rule: Rule) -> str:
    path = rule.path.replace("{image_id}", "1").replace("{path:path}", "base.css")
    return path + ("?heat=red&ask=what" if rule in SWEPT else "?q=red&question=what")


def name(rule: Rule) -> str:
    return f"{rule.method} {address(rule)}"


def test_every_route_has_a_rule_and_every_rule_a_route(opened: Open) -> None:
    routes = set(routes_of(opened().app))
    assert any(getattr(route, "path", "") == "/static" for route in opened().app.routes)
    assert {("GET", "/static/{path:path}"), *routes} == {(rule.method, rule.path) for rule in RULES}


def test_a_route_that_the_table_forgot_is_for_admin_alone(opened: Open, keys: dict[Scope, str]) -> None:
    client = opened(show_paths=1)  # an application of its own: it gets a route more
    app: Any = client.app

    @app.post("/forgotten")
    def forgotten() -> str:
        return "told"

    assert rule_for("POST", "/forgotten") is None
    assert client.post("/forgotten").status_code == 401
    assert client.post("/forgotten", headers=bearer(keys[Scope.JOBS])).status_code == 403
    assert client.post("/forgotten", headers=bearer(keys[Scope.ADMIN])).json() == "told"


@pytest.mark.parametrize("rule", [*GUARDED, *SWEPT], ids=name)
def test_without_a_key_nothing_is_told(opened: Open, rule: Rule) -> None:
    client = opened()
    for headers in (
        {},
        bearer("dxs_" + "A" * 43),
        bearer("x"),
        {"authorization": "Basic YTpi"},
        {"cookie": "deixis_session=x"},
    ):
        answer = client.request(rule.method, address(rule), headers=headers)
        assert answer.status_code == 401, (headers, answer.text)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["type"].endswith(":key-needed")


@pytest.mark.parametrize("rule", [*GUARDED, *SWEPT], ids=name)
def test_a_key_below_what_is_needed_is_refused_and_one_that_suffices_is_not(
    opened: Open, keys: dict[Scope, str], rule: Rule
) -> None:
    client = opened()
    assert rule.scope is not None
    for scope in Scope:
        answer = client.request(rule.method, address(rule), headers=bearer(keys[scope]))
        if scope < rule.scope:
            assert answer.status_code == 403, scope
            assert answer.json()["type"].endswith(":scope-too-small")
        else:
            assert answer.status_code not in (401, 403, 421, 429), (scope, answer.text)


@pytest.mark.parametrize("foreign", FOREIGN, ids=str)
@pytest.mark.parametrize("rule", [*COSTLY, *SWEPT], ids=name)
def test_a_page_of_another_site_is_refused_whoever_it_asks_for(
    opened: Open, keys: dict[Scope, str], rule: Rule, foreign: dict[str, str]
) -> None:
    here = opened(client_at="127.0.0.1", host="127.0.0.1:8484", open=1)
    for client, headers in ((opened(), {}), (opened(), bearer(keys[Scope.ADMIN])), (here, {})):
        answer = client.request(rule.method, address(rule), headers={**foreign, **headers})
        assert answer.status_code == 403, answer.text
        assert answer.json()["type"].endswith(":foreign-origin")


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost", "127.0.0.1:8484", "[::1]", "localhost.evil.example", "["]
)
@pytest.mark.parametrize("rule", [*GUARDED, *COSTLY, *SWEPT], ids=name)
def test_a_foreign_name_is_refused_and_so_is_localhost_from_elsewhere(
    opened: Open, keys: dict[Scope, str], rule: Rule, host: str
) -> None:
    headers = {"host": host, **bearer(keys[Scope.ADMIN])}
    answer = opened().request(rule.method, address(rule), headers=headers)
    assert answer.status_code == 421
    assert answer.json()["type"].endswith(":host-not-allowed")

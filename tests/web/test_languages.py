"""The pages in six languages: every message is translated whole, and each request is answered in its own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from babel.messages.catalog import Message
from starlette.testclient import TestClient

from web import wording
from web.catalogues import extracted, read, updated
from web.languages import (
    COOKIE,
    LANGUAGES,
    SOURCE,
    Language,
    catalogue_path,
    gettext,
    language_of,
    marked,
    ngettext,
    speaking,
    translations,
)

TRANSLATED = [language for language in LANGUAGES.values() if language is not SOURCE]
PLACEHOLDER = re.compile(r"%\((\w+)\)s|%(.)")


def forms(text: object) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, tuple | list) else (str(text),)


def placeholders(text: str) -> set[str]:
    return {name or other for name, other in PLACEHOLDER.findall(text)}


def faults_of(message: Message, language: Language) -> list[str]:
    """What is wrong with one translation; a list, so that a test names all of them at once."""
    source, said = forms(message.id), forms(message.string or "")
    found = []
    if message.fuzzy:
        found.append("is fuzzy")
    if not all(each.strip() for each in said):
        found.append("is not translated")
    if len(source) == 2 and len(said) != int(language.plurals.split("nplurals=")[1].split(";")[0]):
        found.append(f"has {len(said)} plural forms")
    wanted = placeholders(source[-1])
    for each in said:
        missing = wanted ^ placeholders(each)
        if missing - ({"num"} if len(source) == 2 else set()):
            found.append(f"differs in placeholders: {missing}")
        if each != each.strip() and source[0] == source[0].strip():
            found.append("has blanks around it")
    return [f"{source[0]!r} in {language.name} {fault}" for fault in found]


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.code)
def test_a_catalogue_holds_exactly_the_messages_of_the_pages(language: Language) -> None:
    kept = catalogue_path(language.code).read_bytes()
    assert kept == updated(language, extracted()), "run `python -m web.catalogues` and translate what is new"


@pytest.mark.parametrize("language", TRANSLATED, ids=lambda language: language.code)
def test_every_message_is_translated_with_the_same_placeholders(language: Language) -> None:
    messages = [message for message in read(language) if message.id]
    assert len(messages) > 50
    assert [fault for message in messages for fault in faults_of(message, language)] == []


def test_what_is_wrong_with_a_translation_is_seen() -> None:
    french = LANGUAGES["fr"]
    assert faults_of(Message("%(n)s of %(all)s", "%(n)s sur %(tout)s"), french)
    assert faults_of(Message("Save", ""), french)
    assert faults_of(Message("Save", "Enregistrer", flags=["fuzzy"]), french)
    assert faults_of(Message(("one", "many"), ("un",)), french)
    assert not faults_of(Message(("%(num)s picture", "%(num)s pictures"), ("une image", "%(num)s images")), french)


def test_no_message_holds_markup_or_a_bare_per_cent_sign() -> None:
    for language in LANGUAGES.values():
        for message in read(language):
            for text in (*forms(message.id), *forms(message.string or "")) if message.id else ():
                assert not set("<>&") & set(text), text
                assert text.replace("%%", "").count("%") == len(re.findall(r"%\(\w+\)s", text)), text


def test_messages_of_templates_modules_and_problems_are_found() -> None:
    messages = extracted()
    for known in ("Skip to the content", "how it looks", "The disk is full"):
        assert known in messages


@pytest.mark.parametrize(
    ("cookie", "accepted", "code"),
    [
        (None, "", "en"),
        (None, "de-CH,de;q=0.9,en;q=0.8", "de"),
        (None, "pt-BR,pt;q=0.9,es;q=0.5", "es"),
        (None, "en;q=0.2,uk;q=0.9", "uk"),
        (None, "zh-TW", "zh"),
        (None, "fr;q=0,de", "de"),
        (None, "fr;q=many, ;;,=;q=2,*", "en"),
        (None, "x" * 100_000, "en"),
        ("fr", "de", "fr"),
        ("../../etc", "de", "de"),
    ],
)
def test_the_chosen_language_comes_before_those_of_the_browser(cookie: str | None, accepted: str, code: str) -> None:
    assert language_of(cookie, accepted).code == code


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.code)
def test_a_page_says_its_language_and_what_it_depends_on(client: TestClient, language: Language) -> None:
    answer = client.get("/nowhere", headers={"accept": "text/html", "accept-language": language.tag})
    assert answer.status_code == 404
    assert f'<html lang="{language.tag}">' in answer.text
    assert answer.headers["content-language"] == language.tag
    assert {name.strip() for name in answer.headers["vary"].split(",")} >= {"Accept-Language", "Cookie"}
    assert translations(language.code).gettext("There is nothing at this address") in answer.text
    assert translations(language.code).gettext("Skip to the content") in answer.text


def test_programs_are_answered_in_english(client: TestClient) -> None:
    answer = client.get("/api/v1/images/999999", headers={"accept-language": "de"})
    assert answer.json()["title"] == "Not found"
    assert "content-language" not in answer.headers


def test_the_menu_works_without_a_script(client: TestClient) -> None:
    page = client.get("/?k=1", headers={"accept": "text/html"}).text
    assert 'action="/language" method="get"' in page
    assert 'name="back" value="/?k=1"' in page
    chosen = client.get("/language", params={"to": "uk", "back": "/?k=1"}, follow_redirects=False)
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/?k=1")
    kept = chosen.headers["set-cookie"]
    assert kept.startswith(f"{COOKIE}=uk;")
    assert "httponly" in kept.lower()
    try:
        assert '<html lang="uk">' in client.get("/", headers={"accept": "text/html"}).text
    finally:
        client.cookies.clear()


@pytest.mark.parametrize(
    "address",
    ["//evil.example/", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "evil", ""],
)
def test_the_menu_leads_to_no_other_server(client: TestClient, address: str) -> None:
    answer = client.get("/language", params={"to": "de", "back": address}, follow_redirects=False)
    client.cookies.clear()
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_language_can_be_chosen(client: TestClient, code: str) -> None:
    assert client.get("/language", params={"to": code}, follow_redirects=False).status_code == 303
    client.cookies.clear()


def test_an_unknown_language_is_refused(client: TestClient) -> None:
    assert client.get("/language", params={"to": "xx"}, follow_redirects=False).status_code == 422


def test_numbers_sizes_and_dates_are_written_as_the_language_writes_them() -> None:
    now = datetime(2024, 5, 3, tzinfo=UTC)
    with speaking(LANGUAGES["en"]):
        assert (wording.number(12_345), wording.share(0.999)) == ("12,345", "99%")
        assert [wording.size(n) for n in (999, 2_400_000, 184_000)] == ["999 bytes", "2.4 MB", "184 kB"]
    with speaking(LANGUAGES["de"]):
        assert (wording.number(12_345), wording.size(2_400_000)) == ("12.345", "2,4 MB")
        assert wording.day(now) == "03.05.2024"
        assert wording.ago(now - timedelta(minutes=5), now) == "vor 5 Minuten"
        assert wording.ago(now + timedelta(hours=5), now) == "vor 1 Sekunde", "a clock that is ahead"
    with speaking(LANGUAGES["fr"]):
        assert wording.size(184_000).split() == ["184", "ko"]
    with speaking(LANGUAGES["zh"]):
        assert wording.day(now) == "2024年5月3日"


def test_messages_are_filled_in_and_counted() -> None:
    assert gettext("%(what)s is left", what="much") == "much is left"
    assert [ngettext("%(num)s day", "%(num)s days", n) for n in (1, 2)] == ["1 day", "2 days"]
    with speaking(LANGUAGES["de"]):
        assert gettext(marked("Language")) == "Sprache"
        assert gettext("A message that no catalogue has") == "A message that no catalogue has"

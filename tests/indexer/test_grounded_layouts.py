"""Flickr30k Entities and RefCOCO as they lie on disks, and files that were made to harm whoever reads them."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.layouts.entities import read_entities
from indexer.layouts.plain_pickle import read_plain_pickle
from indexer.layouts.refcoco import read_refcoco
from search.errors import ImportFormatError
from vision.types import Box

SENTENCE = "[/EN#7/people Two girls] in [/EN#8/clothing/bodyparts a uniform] at [/EN#0/scene night] .\n"


def boxes(*objects: tuple[str, str]) -> str:
    drawn = "".join(f"<object><name>{name}</name>{inner}</object>" for name, inner in objects)
    return f"<annotation><size><width>200</width><height>100</height><depth>3</depth></size>{drawn}</annotation>"


def box(*corners: Any) -> str:
    names = ("xmin", "ymin", "xmax", "ymax")
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in zip(names, corners, strict=True))
    return f"<bndbox>{inner}</bndbox>"


GIRLS = [("7", box(1, 1, 101, 101)), ("7", box(101, 1, 201, 101)), ("8", box(1, 51, 21, 101))]


def entities(folder: Path, picture: str = "5", xml: str = boxes(*GIRLS), text: str = SENTENCE) -> Path:
    for place in ("Sentences", "Annotations"):
        (folder / place).mkdir(exist_ok=True)
    (folder / "Sentences" / f"{picture}.txt").write_text(text)
    (folder / "Annotations" / f"{picture}.xml").write_text(xml)
    return folder


def test_phrases_have_all_their_boxes_and_their_sentence(tmp_path: Path) -> None:
    found = read_entities(entities(tmp_path))
    assert [(one.phrase, one.boxes) for one in found.phrases] == [
        ("Two girls", (Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 1))),
        ("a uniform", (Box(0, 0.5, 0.1, 1),)),
    ]
    first = found.phrases[0]
    assert (first.sentence, first.file, first.split) == ("Two girls in a uniform at night .", "5.jpg", "all")
    assert (found.boxless, found.skipped) == (1, [])


def test_a_thing_of_two_names_has_one_box_for_both(tmp_path: Path) -> None:
    found = read_entities(entities(tmp_path, xml=boxes(("7</name><name>8", box(1, 1, 101, 101)))))
    assert [one.boxes for one in found.phrases] == [(Box(0, 0, 0.5, 1),)] * 2


def test_each_file_of_ids_is_a_split(tmp_path: Path) -> None:
    for picture in ("5", "6", "7"):
        entities(tmp_path, picture)
    (tmp_path / "val.txt").write_text("5\n")
    (tmp_path / "test.txt").write_text("6\n6\n99\n")
    found = read_entities(tmp_path, [tmp_path / "val.txt", tmp_path / "test.txt"])
    assert {(one.split, one.file) for one in found.phrases} == {("val", "5.jpg"), ("test", "6.jpg")}
    assert len(found.phrases) == 4
    assert ["99" in one.where for one in found.skipped] == [True]


BAD_XML = {
    "nothing": "",
    "no XML": "<annotation>",
    "another encoding": "<?xml version='1.0' encoding='no-such'?><annotation/>",
    "no size": "<annotation><object><name>7</name></object></annotation>",
    "no width": boxes(*GIRLS).replace("200", "0"),
    "a size that is none": boxes(*GIRLS).replace("200", "²"),
    "a corner that is none": boxes(("7", box(1, 1, "x", 101))),
    "a corner of a thousand digits": boxes(("7", box(1, 1, "9" * 1000, 101))),
    "a box without area": boxes(("7", box(5, 5, 5, 9))),
    "a box outside": boxes(("7", box(900, 900, 950, 950))),
    "a bomb": '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><annotation>&c;</annotation>',
    "a file of somebody": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><annotation>&b;</annotation>',
    "depth": "<a>" * 5_000,
}


@pytest.mark.parametrize("xml", BAD_XML.values(), ids=BAD_XML)
def test_a_bad_picture_costs_that_picture_and_is_named(xml: str, tmp_path: Path) -> None:
    entities(tmp_path, "5", xml)
    found = read_entities(entities(tmp_path, "6"))
    assert {one.file for one in found.phrases} == {"6.jpg"}
    assert [one.where for one in found.skipped] == ["all: '5'"]


@pytest.mark.parametrize(
    "line", ["[/EN#x/people A girl]", "[/EN#7/people A girl", "[/EN#7 A girl]", "[/EN#7/people [A] b]"]
)
def test_a_bad_sentence_costs_that_sentence(line: str, tmp_path: Path) -> None:
    found = read_entities(entities(tmp_path, text=f"{line}\n{SENTENCE}"))
    assert [one.where for one in found.skipped] == ["5.txt:1"]
    assert len(found.phrases) == 2


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "a/b", "a\\b", "..", "\0"])
def test_an_id_that_is_a_path_leads_nowhere(name: str, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text(f"5\n{name}\n")
    found = read_entities(entities(tmp_path), [tmp_path / "ids.txt"])
    assert len(found.phrases) == 2
    assert len(found.skipped) == 1


@pytest.mark.parametrize("what", ["no folder", "no sentence", "no boxes", "no ids"])
def test_a_folder_without_a_phrase_is_refused_with_a_remedy(what: str, tmp_path: Path) -> None:
    ids = [tmp_path / "none.txt"] if what == "no ids" else []
    if what != "no folder":
        entities(
            tmp_path,
            xml=boxes() if what == "no boxes" else boxes(*GIRLS),
            text="" if what == "no sentence" else SENTENCE,
        )
    with pytest.raises(ImportFormatError) as refused:
        read_entities(tmp_path, ids)
    assert refused.value.remedy


INSTANCES = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}],
    "annotations": [{"id": 11, "image_id": 1, "bbox": [0, 0, 100, 50], "category_id": 3}],
}


def ref(split: str = "val", **more: Any) -> dict[str, Any]:
    sentences = [{"sent": "the left girl", "raw": "the left girl", "sent_id": 0, "tokens": ["the", "left", "girl"]}]
    return {"ref_id": 0, "ann_id": 11, "image_id": 1, "split": split, "sentences": sentences} | more


def refcoco(folder: Path, refs: Any, instances: Any = INSTANCES, split: str | None = None) -> Any:
    (folder / "refs(unc).p").write_bytes(refs if isinstance(refs, bytes) else pickle.dumps(refs, 2))
    (folder / "instances.json").write_text(json.dumps(instances))
    return read_refcoco(folder / "refs(unc).p", folder / "instances.json", split)


@pytest.mark.parametrize("as_json", [True, False])
def test_expressions_are_read_by_split(as_json: bool, tmp_path: Path) -> None:
    refs = [ref(), ref("testA"), ref("train")]
    data = json.dumps(refs).encode() if as_json else pickle.dumps(refs, 0)
    found = refcoco(tmp_path, data)
    assert [(one.split, one.phrase, one.sentence) for one in found.phrases] == [
        ("val", "the left girl", None),
        ("testA", "the left girl", None),
    ]
    assert found.phrases[0].boxes == (Box(0, 0, 0.5, 0.5),)
    assert [one.split for one in refcoco(tmp_path, data, split="train").phrases] == ["train"]


@pytest.mark.parametrize(
    "bad",
    [
        3,
        {},
        ref(split=5),
        ref(ann_id=99),
        ref(ann_id="11"),
        ref(sentences=3),
        ref(sentences=[3]),
        ref(sentences=[{"sent": ""}]),
        ref(sentences=[{"sent": ["x"]}]),
    ],
)
def test_a_bad_expression_costs_that_expression(bad: Any, tmp_path: Path) -> None:
    found = refcoco(tmp_path, [bad, ref()])
    assert len(found.phrases) == 1
    assert len(found.skipped) == 1


@pytest.mark.parametrize("file", ["../a.jpg", "/a.jpg", "x\\..\\..\\a.jpg", "a\0.jpg"])
def test_a_picture_outside_of_the_folder_is_not_read(file: str, tmp_path: Path) -> None:
    images = [*INSTANCES["images"], {"id": 2, "file_name": file, "width": 2, "height": 2}]
    annotations = [*INSTANCES["annotations"], {"id": 12, "image_id": 2, "bbox": [0, 0, 1, 1]}]
    found = refcoco(tmp_path, [ref(), ref(ann_id=12)], {"images": images, "annotations": annotations})
    assert [one.file for one in found.phrases] == ["a.jpg"]
    assert len(found.skipped) == 2


class _Harm:
    def __reduce__(self) -> Any:
        return os.mkdir, ("harm",)


HOSTILE = {
    "a call": lambda: pickle.dumps([_Harm()]),
    "a call of the oldest kind": lambda: b"cos\nmkdir\n(S'harm'\ntR.",
    "a class": lambda: pickle.dumps([Path]),
    "a set": lambda: pickle.dumps([{1}], 4),
    "an extension": lambda: b"\x82\x01.",
    "a persistent id": lambda: b"Pharm\n.",
    "a memo of gigabytes": lambda: b"]r\xff\xff\xff\x7f.",
    "nothing": lambda: b"",
    "half": lambda: pickle.dumps([ref()])[:-9],
    "no end": lambda: b"]",
    "an empty stack": lambda: b".",
    "a mark alone": lambda: b"(.",
    "a tuple of nothing": lambda: b"\x87.",
    "an odd dict": lambda: b"(I1\nd.",
    "items of a number": lambda: b"I1\n(I1\nI2\nu.",
    "a list as key": lambda: b"}]I1\ns.",
    "an endless number": lambda: b"I" + b"9" * 10_000 + b"\n.",
    "another letter": lambda: b"hello, world",
    "text": lambda: pickle.dumps("x"),
    "a list of itself": lambda: b"]q\x00h\x00a.",
    "cut JSON": lambda: b"[1,",
}


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_pickle_is_refused_and_does_nothing(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ImportFormatError, match=r"refs\(unc\)\.p"):
        refcoco(tmp_path, made())
    assert not (tmp_path / "harm").exists()


def test_text_and_numbers_of_the_oldest_pickles_are_read() -> None:
    data = b"(lp0\n(dp1\nS'sent'\np2\nS'a \\'big\\' dog'\np3\nsaI5\naI01\naL7L\naF1.5\nag3\naVcaf\\u00e9\naN."[:-1]
    value = read_plain_pickle(data + b"a.")
    assert value == [{"sent": "a 'big' dog"}, 5, True, 7, 1.5, "a 'big' dog", "café", None]


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.lists(inner, max_size=5).map(tuple)
    ),
)


@settings(deadline=None)
@given(value=_PLAIN, protocol=st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_plain_values_come_back_as_they_were(value: Any, protocol: int) -> None:
    assert read_plain_pickle(pickle.dumps(value, protocol)) == value


@settings(deadline=None)
@given(data=st.binary(max_size=200))
def test_no_bytes_make_it_stumble(data: bytes) -> None:
    with contextlib.suppress(ImportFormatError):
        read_plain_pickle(data)

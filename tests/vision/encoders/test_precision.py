"""Precisions of the transformers backend: near float32, of another identity, independent of the batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vision.encoders.base import Encoder
from vision.encoders.comparing import Probed, probe, worst_cosines
from vision.encoders.probes import PROBE_TEXTS, probe_pictures
from vision.encoders.registry import load_encoder
from vision.errors import ModelError

_TRAINED = "storybook-encoder"


@pytest.fixture(scope="module")
def reference() -> tuple[Encoder, Probed]:
    encoder = load_encoder(_TRAINED, threads=1)
    return encoder, probe(encoder)


@pytest.mark.parametrize(("precision", "least"), [("bfloat16", 0.9995), ("float16", 0.99999), ("int8", 0.999)])
def test_a_trained_encoder_stays_near_itself_in_every_precision(
    precision: str, least: float, reference: tuple[Encoder, Probed]
) -> None:
    encoder = load_encoder(_TRAINED, threads=1, precision=precision)
    assert encoder.facts.backend == f"transformers:{precision}"
    assert min(worst_cosines(probe(encoder), reference[1])) >= least
    assert encoder.facts.identity != reference[0].facts.identity


@pytest.mark.parametrize("family", ["clip_folder", "siglip_folder", "siglip2_folder"])
def test_8_bits_fit_every_family_and_a_picture_does_not_depend_on_its_neighbours(
    family: str, request: pytest.FixtureRequest
) -> None:
    encoder = load_encoder(str(request.getfixturevalue(family)), threads=1, precision="int8")
    pictures = probe_pictures(*encoder.facts.preprocessing.output_hw)
    together = encoder.encode_prepared(pictures)
    alone = np.concatenate([encoder.encode_prepared(picture[None]) for picture in pictures])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_the_facts_lead_back_to_the_same_precision(clip_folder: Path) -> None:
    facts = load_encoder(str(clip_folder), threads=1, precision="bfloat16").facts
    assert load_encoder(facts.location, threads=1, backend=facts.backend).facts == facts


def test_float32_keeps_the_identity_that_libraries_on_disk_have(clip_folder: Path) -> None:
    plain, named = load_encoder(str(clip_folder), threads=1), load_encoder(str(clip_folder), precision="float32")
    assert plain.facts == named.facts
    assert plain.facts.backend == "transformers"


def test_a_precision_that_does_not_exist_is_refused(clip_folder: Path) -> None:
    with pytest.raises(ModelError, match=r"does not compute in 'int3'\nChoose float32, bfloat16, float16, int8"):
        load_encoder(str(clip_folder), precision="int3")


def test_probes_are_the_same_at_every_call_and_differ_from_each_other() -> None:
    pictures = probe_pictures(30, 41)
    assert (pictures.shape, pictures.dtype) == ((8, 30, 41, 3), np.uint8)
    np.testing.assert_array_equal(pictures, probe_pictures(30, 41))
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)
    assert len(set(PROBE_TEXTS)) == len(PROBE_TEXTS)

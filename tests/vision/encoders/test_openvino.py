"""The openvino backend computes the exported graphs in three precisions, and reports to nobody."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from vision.encoders.base import Encoder
from vision.encoders.comparing import probe, worst_cosines
from vision.encoders.probes import PROBE_TEXTS, probe_pictures
from vision.encoders.registry import load_encoder
from vision.errors import ModelError, ModelMissingError

_REPORTS = """
import sys
from vision.encoders.registry import load_encoder
load_encoder(sys.argv[1], threads=1, backend="openvino")
assert "openvino" in sys.modules
assert sys.modules["openvino_telemetry"] is None
assert "openvino_telemetry.main" not in sys.modules
"""


@pytest.fixture(autouse=True, scope="module")
def _installed() -> None:
    if importlib.util.find_spec("openvino") is None:
        pytest.skip("needs the extra `openvino`")


def _loaded(folder: Path, precision: str = "float32") -> Encoder:
    """The encoder; a processor on which OpenVINO computes nothing of the kind is no failure, if it is said."""
    try:
        return load_encoder(str(folder), threads=1, backend="openvino", precision=precision)
    except ModelError as error:
        if "on this processor" not in str(error):
            raise
        pytest.skip(str(error.args[0]))


@pytest.mark.parametrize(("precision", "least"), [("float32", 0.99999), ("bfloat16", 0.9995), ("int8", 0.999)])
def test_every_precision_stays_near_onnxruntime_in_float32(precision: str, least: float, exported_folder: Path) -> None:
    encoder = _loaded(exported_folder, precision)
    assert encoder.facts.backend == ("openvino" if precision == "float32" else f"openvino:{precision}")
    reference = load_encoder(str(exported_folder), threads=1)
    assert encoder.facts.revision == reference.facts.revision
    assert encoder.facts.identity != reference.facts.identity
    assert min(worst_cosines(probe(encoder), probe(reference))) >= least


def test_8_bit_embeddings_do_not_depend_on_their_neighbours(exported_folder: Path) -> None:
    encoder = _loaded(exported_folder, "int8")
    pictures = probe_pictures(*encoder.facts.preprocessing.output_hw)
    alone = np.concatenate([encoder.encode_prepared(picture[None]) for picture in pictures])
    np.testing.assert_allclose(alone, encoder.encode_prepared(pictures), atol=1e-5)


def test_several_threads_get_their_own_answers(exported_folder: Path) -> None:
    encoder = _loaded(exported_folder)
    expected = encoder.encode_text(PROBE_TEXTS)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: encoder.encode_text([text])[0], PROBE_TEXTS))
    np.testing.assert_allclose(np.stack(found), expected, atol=1e-5)


def test_importing_it_reports_to_nobody(exported_folder: Path) -> None:
    _loaded(exported_folder)
    outcome = subprocess.run(
        [sys.executable, "-c", _REPORTS, str(exported_folder)], capture_output=True, text=True, check=False, timeout=300
    )
    assert outcome.returncode == 0, outcome.stderr


def test_a_folder_without_graphs_says_how_to_get_them(clip_folder: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"vision_model.onnx is missing\n.*deixis export"):
        load_encoder(str(clip_folder), threads=1, backend="openvino")


def test_a_damaged_graph_is_an_error_of_its_file(exported_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(exported_folder, tmp_path / "copy")
    (copy / "onnx" / "vision_model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"vision_model.onnx: OpenVINO cannot load it"):
        load_encoder(str(copy), threads=1, backend="openvino")

"""Small dual encoders of the real architectures, saved as folders: seeded random weights, real tokenizer files."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import string
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
import sentencepiece
import torch
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTokenizer,
    GemmaTokenizer,
    SiglipConfig,
    SiglipModel,
    SiglipTokenizer,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from vision.export.encoders import export_encoder
from vision.types import RgbImage

_SIDE_PX = 32
_TOWER = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
_VISION = {**_TOWER, "image_size": _SIDE_PX, "patch_size": 8}
_SENTENCES = [
    "a cat sits on a red mat",
    "two dogs run over the green hill",
    "the quick brown fox jumps over a lazy dog",
    "a blue car left of a tall tree",
    "people eat pizza at a wooden table in the kitchen",
    "a big jet flies high in the grey sky over quiet waves",
]


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    letters = [*string.ascii_letters, *string.digits, *string.punctuation]
    pieces = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    CLIPTokenizer(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[]).save_pretrained(folder)
    text = {**_TOWER, "vocab_size": len(pieces), "max_position_embeddings": 77, "bos_token_id": 0, "eos_token_id": 1}
    torch.manual_seed(0)
    config = CLIPConfig(text_config={**text, "pad_token_id": 1}, vision_config=_VISION, projection_dim=16)
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(
        size={"shortest_edge": _SIDE_PX}, crop_size={"height": _SIDE_PX, "width": _SIDE_PX}
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def siglip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("siglip")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_SENTENCES * 20),
        model_writer=model,
        model_type="unigram",
        vocab_size=80,
        hard_vocab_limit=False,
        unk_id=0,
        eos_id=1,
        bos_id=-1,
        pad_id=-1,
        minloglevel=2,
    )
    (folder / "trained.model").write_bytes(model.getvalue())
    SiglipTokenizer(str(folder / "trained.model")).save_pretrained(folder)
    (folder / "trained.model").unlink()
    _save_siglip(folder, vocabulary=100)
    return folder


@pytest.fixture(scope="session")
def siglip2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fixed-resolution SigLIP2 as the hub has it: SiglipModel with Gemma's case-sensitive tokenizer, padded left."""
    folder = tmp_path_factory.mktemp("siglip2")
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *string.ascii_letters, *string.digits]
    GemmaTokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)}, merges=[], add_bos_token=False, add_eos_token=True
    ).save_pretrained(folder)
    _save_siglip(folder, vocabulary=len(pieces))
    return folder


def _save_siglip(folder: Path, *, vocabulary: int) -> None:
    torch.manual_seed(0)
    text = {**_TOWER, "vocab_size": vocabulary, "max_position_embeddings": 64, "projection_size": 32}
    SiglipModel(SiglipConfig(text_config=text, vision_config=_VISION)).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": _SIDE_PX, "width": _SIDE_PX}).save_pretrained(folder)


@pytest.fixture(scope="session")
def exported_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained storybook encoder as ONNX graphs, in float32 and int8."""
    folder = tmp_path_factory.mktemp("exported") / "storybook"
    export_encoder("storybook-encoder", folder, precisions=("float32", "int8"), threads=1)
    return folder


@pytest.fixture(scope="session")
def pictures() -> list[RgbImage]:
    """Smooth random pictures of sizes whose resize does not come out even, one smaller than the model's input."""
    random = np.random.default_rng(0)
    sizes = [(47, 91), (90, 33), (64, 64), (20, 25)]
    return [np.kron(random.integers(0, 256, (h, w, 3)), np.ones((3, 3, 1))).astype(np.uint8) for h, w in sizes]


class HubServer:
    """As much of the hub's HTTP interface as a download uses, serving one folder as one repository with two branches.

    Attributes:
        url: what HF_ENDPOINT is set to.
        commits: branch → commit; a test may move a branch.
        asked: the path of every request, in order.
    """

    def __init__(self, hub_id: str, folder: Path) -> None:
        self.hub_id = hub_id
        self.folder = folder
        self.commits = {"main": "1" * 40}
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_HubHandler, self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def entry(self, path: Path) -> dict[str, Any]:
        """One line of a repository's tree, as the hub describes a file."""
        content = path.read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        entry = {"type": "file", "path": path.relative_to(self.folder).as_posix(), "size": len(content), "oid": blob}
        if path.suffix == ".safetensors":
            entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
        return entry


class _HubHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, hub: HubServer, *args: Any) -> None:
        self.hub = hub
        super().__init__(*args)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(path)
        api, files = f"/api/models/{self.hub.hub_id}/", f"/{self.hub.hub_id}/resolve/"
        status, headers, body = 404, {"X-Error-Code": "RepoNotFound"}, b"{}"
        if path.startswith(api):
            verb, _, name = path.removeprefix(api).partition("/")
            commit = self.hub.commits.get(name, name)
            if commit not in self.hub.commits.values():
                headers = {"X-Error-Code": "RevisionNotFound"}
            elif verb == "revision":
                status, headers, body = 200, {}, json.dumps({"id": self.hub.hub_id, "sha": commit}).encode()
            elif verb == "tree":
                tree = [self.hub.entry(file) for file in sorted(self.hub.folder.rglob("*")) if file.is_file()]
                status, headers, body = 200, {}, json.dumps(tree).encode()
        elif path.startswith(files):
            commit, _, name = path.removeprefix(files).partition("/")
            entry = self.hub.entry(self.hub.folder / name)
            tag = entry.get("lfs", entry)["oid"]
            status, headers = 200, {"ETag": f'"{tag}"', "X-Repo-Commit": commit}
            body = (self.hub.folder / name).read_bytes()
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)


@pytest.fixture
def hub_server(clip_folder: Path, tmp_path: Path) -> Iterator[HubServer]:
    """A small CLIP repository on 127.0.0.1, with a pickle and a program beside the weights, as many have."""
    folder = shutil.copytree(clip_folder, tmp_path / "served")
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    (folder / "modeling_clip.py").write_text("raise SystemExit('remote code ran')")
    hub = HubServer("someone/tiny-clip", folder)
    thread = threading.Thread(target=hub.server.serve_forever)
    thread.start()
    yield hub
    hub.server.shutdown()
    thread.join()
    hub.server.server_close()

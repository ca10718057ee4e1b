"""A small M2M100 of the real architecture with seeded random weights, and a translator that looks words up."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
import torch
from transformers import M2M100Config, M2M100ForConditionalGeneration
from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

from vision.translation.base import Alignment, Translation, TranslatorFacts
from vision.translation.m2m100 import M2M100Translator
from vision.translation.sentences import words_of

TEXTS = [
    "A red dog sits left of a tree in the snow.",
    "Two small boats and a lighthouse, at night.",
    "Ein roter Hund sitzt links von einem Baum im Schnee.",
    "Un chien rouge est assis à gauche d'un arbre.",
    "一只红色的狗在树的左边。",
    "Червоний собака сидить ліворуч від дерева.",
]
_UNUSED_ROWS = 8


def save_translator(folder: Path, **changes: Any) -> Path:
    """Save a folder as the hub has it; `changes` go into the configuration."""
    pieces = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 4), model_writer=pieces, vocab_size=160, hard_vocab_limit=False, minloglevel=2
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=pieces.getvalue())
    words = [processor.id_to_piece(number) for number in range(3, processor.get_piece_size())]
    ids = {piece: number for number, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", *words])}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sentencepiece.bpe.model").write_bytes(pieces.getvalue())
    (folder / "vocab.json").write_text(json.dumps(ids), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "M2M100Tokenizer"}))
    codes = FAIRSEQ_LANGUAGE_CODES["m2m100"]
    config = {
        "vocab_size": len(ids) + len(codes) + _UNUSED_ROWS,
        "encoder_layers": 2,
        "decoder_layers": 3,
        "d_model": 32,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "max_position_embeddings": 64,
        **changes,
    }
    torch.manual_seed(0)
    model = M2M100ForConditionalGeneration(M2M100Config(**config))
    with torch.no_grad():
        # Weights of the default size hardly look at the sentence and repeat one token; these do neither.
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, std=0.25 if "shared" in name else 0.5)
        model.model.shared.weight[model.config.eos_token_id] *= 1.5
    # As released, the folder carries settings of generation that would win over what is left unsaid.
    model.generation_config.update(max_length=12, num_beams=3, early_stopping=True)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def translator_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_translator(tmp_path_factory.mktemp("translator"))


@pytest.fixture(scope="session")
def translator(translator_folder: Path) -> M2M100Translator:
    return M2M100Translator(translator_folder, name="tiny", threads=1)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Wordbook:
    """A translator that looks each word up in a list of pairs; words that it does not list become nothing.

    Fulfils `Translator` between English and German, so that what becomes of spans can be said letter by letter.
    """

    facts = TranslatorFacts("wordbook", "list", "0", "float32", 99, ("en", "de", "fr"), "one word at a time", "")

    def __init__(self, pairs: dict[str, str]) -> None:
        self.pairs = pairs
        self.asked: list[str] = []

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[Translation]:
        self.asked.extend(texts)
        pairs = self.pairs if source == "en" else {told: asked for asked, told in self.pairs.items()}
        found = [[pairs[word] for word in self._words(text) if pairs.get(word)] for text in texts]
        return [Translation(" ".join(row) + ("." if row else ""), -1.0, complete=True) for row in found]

    def align(self, texts: Sequence[str], translations: Sequence[str], *, source: str, target: str) -> list[Alignment]:
        return [self._alignment(text, told) for text, told in zip(texts, translations, strict=True)]

    def _alignment(self, text: str, told: str) -> Alignment:
        before, after = words_of(text), words_of(told)
        weights = np.zeros((len(after), len(before)), dtype=np.float32)
        said = [word for word in self._words(text) if self.pairs.get(word)]
        for row, word in enumerate(said):
            weights[row, self._words(text).index(word)] = 1.0
        return Alignment(tuple(before), tuple(after), weights)

    def _words(self, text: str) -> list[str]:
        return [text[word.start : word.end].lower() for word in words_of(text)]


@pytest.fixture
def wordbook() -> Wordbook:
    listed = "a=ein red=roter dog=Hund tree=Baum big=großer cat=Kater is=ist here=hier in=im snow=Schnee"
    return Wordbook(dict(pair.split("=") for pair in listed.split()))

"""The kinds of models, with the files that each needs and the flag that takes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelKind:
    """What to say of a model that is missing.

    Attributes:
        name: `encoder`, `captioner`, `translator` or `reader`.
        flag: of the command line.
        command: a command that takes the flag, as far as the flag.
        needed: files without which it cannot be loaded.
        optional: files to bring where the repository has them.
    """

    name: str
    flag: str
    command: str
    needed: tuple[str, ...]
    optional: tuple[str, ...]


_TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
_WEIGHTS = ("config.json", "model.safetensors")
_PARTS = ("model.safetensors.index.json", "model-*.safetensors")
_OLDER_TOKENIZERS = (
    *("special_tokens_map.json", "vocab.json", "merges.txt", "spiece.model"),
    *("sentencepiece.bpe.model", "tokenizer.model"),
)

ENCODER = ModelKind(
    name="encoder",
    flag="--model",
    command="deixis index ~/Pictures --model",
    needed=(*_WEIGHTS, "preprocessor_config.json", *_TOKENIZER),
    optional=("processor_config.json", *_OLDER_TOKENIZERS, *_PARTS),
)
CAPTIONER = ModelKind(
    name="captioner",
    flag="--captioner",
    command="deixis caption --captioner",
    needed=(*_WEIGHTS, "preprocessor_config.json", *_TOKENIZER),
    optional=("processor_config.json", *_OLDER_TOKENIZERS, *_PARTS),
)
TRANSLATOR = ModelKind(
    name="translator",
    flag="--translator",
    command="deixis caption --language it --translator",
    needed=(*_WEIGHTS, "vocab.json", "sentencepiece.bpe.model", "tokenizer_config.json"),
    optional=("special_tokens_map.json", *_PARTS),
)
READER = ModelKind(
    name="reader",
    flag="--reader",
    command="deixis read --reader",
    needed=("detection.onnx", "recognition.onnx"),
    optional=("dictionary.txt",),
)

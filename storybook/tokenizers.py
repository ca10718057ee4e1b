"""Both tokenizers of the built-in models, trained offline from captions of the world alone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import sentencepiece
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import CLIPImageProcessorPil, Kosmos2Processor, XLMRobertaTokenizer

# CLIP's text tower takes the first end token as the sentence; id 2 would switch transformers to its legacy rule
# ("the largest id is the end"), so the end token must be any other.
PAD_ID, BOS_ID, UNK_ID, EOS_ID = 0, 1, 2, 3
_UNKNOWN = "<unk>"
_SPECIAL = ["<pad>", "<s>", _UNKNOWN, "</s>"]
# One patch of the captioner's 32×32 grid of locations per token.
LOCATIONS = 1024
TAGS = 11


def train_encoder_tokenizer(texts: Iterable[str], *, vocabulary: int) -> Tokenizer:
    """Train a lower-casing byte-pair tokenizer that reads each Chinese character as a word of its own.

    Args:
        texts: captions and phrases of the training split, all languages.
        vocabulary: upper limit of the number of entries.

    Returns:
        A tokenizer that frames every text as `<s> … </s>`.
    """
    tokenizer = Tokenizer(models.BPE(unk_token=_UNKNOWN, end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=True
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=_SPECIAL,
        end_of_word_suffix="</w>",
        # Letters the captions never use, so that a word from outside the world is still spelt, not one unknown.
        initial_alphabet=list("abcdefghijklmnopqrstuvwxyz0123456789'-.,:;!?"),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", BOS_ID), ("</s>", EOS_ID)]
    )
    return tokenizer


def save_encoder_tokenizer(tokenizer: Tokenizer, folder: Path, *, context_length: int) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json` as the hub lays them out."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context_length,
        "padding_side": "right",
        "clean_up_tokenization_spaces": False,
        "pad_token": "<pad>",
        "bos_token": "<s>",
        "unk_token": "<unk>",
        "eos_token": "</s>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def train_captioner_processor(texts: Sequence[str], *, vocabulary: int, image_px: int) -> Kosmos2Processor:
    """Train the captioner's unigram tokenizer and put it into Kosmos-2's own processor class.

    Args:
        texts: captions, questions and answers of the training split, all languages, without tags.
        vocabulary: pieces wanted; fewer are made when the texts do not hold so many.
        image_px: side of the square that images are squashed to; nothing is cropped, as boxes refer to the whole.

    Returns:
        The processor, with the 11 tags and 1,024 location tokens added.
    """
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder) / "pieces"
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_prefix=str(prefix),
            model_type="unigram",
            vocab_size=vocabulary,
            hard_vocab_limit=False,
            character_coverage=1.0,
            normalization_rule_name="nmt_nfkc",
            num_threads=1,
            minloglevel=2,
        )
        model = sentencepiece.SentencePieceProcessor(model_file=f"{prefix}.model")
    pieces = [
        (model.id_to_piece(index), float(model.get_score(index)))
        for index in range(model.get_piece_size())
        if not (model.is_control(index) or model.is_unknown(index))
    ]
    specials = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    tokenizer = XLMRobertaTokenizer(vocab=specials + pieces)
    images = CLIPImageProcessorPil(
        do_center_crop=False,
        size={"height": image_px, "width": image_px},
        do_convert_rgb=True,
    )
    return Kosmos2Processor(images, tokenizer)

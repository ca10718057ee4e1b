"""M2M100 as a translator: sentences in batches that fit, beams, and word alignment from its cross-attention."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import GenerationConfig, M2M100ForConditionalGeneration

from vision.batching import Batches
from vision.cuda_memory import memory_of
from vision.encoders.folders import TOKENIZER_FILES, content_revision, read_json
from vision.encoders.pretrained import check_files, load_pretrained
from vision.errors import ModelError, ModelMissingError
from vision.grounding.errors import LanguageError
from vision.lanes import usable_cores
from vision.translation.base import Alignment, Translation, TranslatorFacts
from vision.translation.errors import TranslationError
from vision.translation.vocabulary import Tokens, Vocabulary

BEAMS = 5
# Several times the longest sentence that it was trained on; what it writes beyond is repetition.
_LONGEST = 512
_AT_ONCE = {"cpu": 16, "cuda": 128}
# Copies of one token's logits alive at once while beams are followed.
_LIVE_LOGITS = 6
# Two tokens frame every sentence: its language before it, the end behind it.
_FRAME = 2


class M2M100Translator:
    """An M2M100 of the transformers library. Fulfils `Translator`; safe to call from several threads.

    Runs on the first CUDA device where there is one, else on the CPU, in batches sized by the memory that is free.

    Args:
        folder: the model folder or hub snapshot.
        name: what people call it.
        revision: its hub commit; None for a local folder, whose content is hashed.
        threads: CPU cores for the whole process's PyTorch; None for every core that this process may use.
        beams: translations that are followed at once; 1 is greedy.

    Raises:
        ModelMissingError: a file is not there; the message names it.
        ModelError: the weights are pickles, damaged, incomplete or of another architecture, or the tokenizer is not
            the weights' own.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        revision: str | None = None,
        threads: int | None = None,
        beams: int = BEAMS,
    ) -> None:
        _check_folder(folder)
        self._beams = beams
        torch.set_num_threads(threads or usable_cores())
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self.vocabulary = Vocabulary(folder)
        self.model = load_pretrained(M2M100ForConditionalGeneration, folder).to(self._device)
        # Fused attention returns no weights; for sentences the plain one is as fast.
        self.model.set_attn_implementation("eager")
        # What a folder says about generation would fill in whatever we leave unsaid.
        self.model.generation_config = GenerationConfig()
        _check_vocabulary(folder, self.model.config, self.vocabulary)
        weights = sorted(path.name for path in folder.glob("*.safetensors*"))
        files = ["config.json", *weights, *TOKENIZER_FILES]
        self._facts = TranslatorFacts(
            name=name,
            backend="transformers",
            revision=revision or content_revision(folder, files),
            precision="float32",
            context_length=min(_LONGEST, int(self.model.config.max_position_embeddings)),
            languages=self.vocabulary.languages,
            recipe=f"beams {beams}",
            location=str(folder),
        )
        self._batches = Batches(
            self._row_bytes(_FRAME), ceiling=_AT_ONCE[self._device], memory=memory_of(self._device), what="sentences"
        )

    @property
    def facts(self) -> TranslatorFacts:
        """What this translator is."""
        return self._facts

    def translate(self, texts: Sequence[str], *, source: str, target: str) -> list[Translation]:
        """Translate sentences; see `Translator`."""
        asked = self._read(texts, source, target)
        translated: list[Translation] = []

        def work(part: slice) -> None:
            translated.extend(self._write(asked[part], source, target))

        self._in_batches(asked, work, rows=self._beams)
        return translated

    def align(self, texts: Sequence[str], translations: Sequence[str], *, source: str, target: str) -> list[Alignment]:
        """Tie the tokens of each translation to the tokens of its sentence; see `Translator`."""
        if len(texts) != len(translations):
            raise TranslationError(f"{len(texts)} sentences need as many translations, got {len(translations)}")
        longest = self._facts.context_length - _FRAME
        asked = self._read(texts, source, target)
        # Read again, a translation as long as the model writes may have a piece more; that one is aligned with nothing.
        told = [Tokens(one.ids[:longest], one.spans[:longest]) for one in map(self.vocabulary.encode, translations)]
        aligned: list[Alignment] = []

        def work(part: slice) -> None:
            maps = self._attend(asked[part], told[part], source, target)
            aligned.extend(_alignment(*row) for row in zip(asked[part], told[part], maps, strict=True))

        self._in_batches([*asked, *told], work, rows=2, count=len(asked))
        return aligned

    def _read(self, texts: Sequence[str], language: str, other: str) -> list[Tokens]:
        self._check_languages(language, other)
        longest = self._facts.context_length - _FRAME
        read = []
        for place, text in enumerate(texts):
            tokens = self.vocabulary.encode(text)
            if not any(tokens.spans):
                raise TranslationError(f"sentence {place} is empty", remedy="Give it words, or leave it out.")
            if len(tokens.ids) > longest:
                raise TranslationError(
                    f"sentence {place} has {len(tokens.ids)} tokens; {self._facts.name} reads at most {longest}",
                    remedy="Split it into shorter sentences.",
                )
            read.append(tokens)
        return read

    def _check_languages(self, *languages: str) -> None:
        for language in languages:
            if language not in self._facts.languages:
                raise LanguageError(
                    f"{self._facts.name} does not know the language {language!r}",
                    remedy=f"It translates between {', '.join(self._facts.languages)}; choose two of these.",
                )
        if len(set(languages)) == 1:
            raise LanguageError(f"a text in {languages[0]!r} needs no translation into {languages[0]!r}")

    def _write(self, asked: Sequence[Tokens], source: str, target: str) -> list[Translation]:
        ids, mask = self._rows(asked, source)
        first = torch.tensor([[self.vocabulary.end, self.vocabulary.language_id(target)]], device=self._device)
        rows = int(self.model.config.vocab_size)
        with torch.inference_mode():
            written = self.model.generate(
                ids,
                attention_mask=mask,
                decoder_input_ids=first.expand(len(asked), -1),
                generation_config=GenerationConfig(
                    max_new_tokens=self._facts.context_length - _FRAME,
                    num_beams=self._beams,
                    early_stopping=True if self._beams > 1 else None,
                    do_sample=False,
                    suppress_tokens=[*self.vocabulary.silent, *range(self.vocabulary.size, rows)],
                    pad_token_id=self.vocabulary.pad,
                    eos_token_id=self.vocabulary.end,
                    decoder_start_token_id=self.vocabulary.end,
                ),
            )
            # Read again: kept while writing, the logits of every step and beam would take gigabytes.
            states = self.model.model(ids, attention_mask=mask, decoder_input_ids=written, use_cache=False)[0]
            return [self._translation(*row) for row in zip(written[:, _FRAME:], states[:, _FRAME - 1 :], strict=True)]

    def _translation(self, ids: Tensor, states: Tensor) -> Translation:
        """From the tokens behind the frame, and the decoder's states of which each predicts the token in its place."""
        ends = (ids == self.vocabulary.end).nonzero()
        length = int(ends[0]) + 1 if len(ends) else len(ids)
        told = ids[:length]
        logits = self.model.lm_head(states[:length]).float()
        chances = logits.gather(1, told[:, None]).squeeze(1) - logits.logsumexp(1)
        return Translation(self.vocabulary.decode(told.tolist())[0], float(chances.sum()), complete=bool(len(ends)))

    def _attend(
        self, asked: Sequence[Tokens], told: Sequence[Tokens], source: str, target: str
    ) -> list[NDArray[np.float32]]:
        """Attention of each written token on each read one, frames left out: `(told, asked)` float32 per pair."""
        ids, mask = self._rows(asked, source)
        written, _ = self._rows(told, target)
        start = torch.full((len(told), 1), self.vocabulary.end, device=self._device)
        with torch.inference_mode():
            answer = self.model(
                ids,
                attention_mask=mask,
                # Padding stands behind what is read, and a decoder does not look ahead.
                decoder_input_ids=torch.cat([start, written], dim=1),
                output_attentions=True,
                use_cache=False,
            )
        layers = answer.cross_attentions
        # All but the lowest third, whose attention follows places rather than meaning (measured: decision 14).
        upper = torch.stack(layers[len(layers) // 3 :]).mean(dim=(0, 2)).float().cpu().numpy()
        # Row i + 1 reads the token before token i (behind the start and the language), and so writes token i.
        return [
            rows[_FRAME - 1 : _FRAME - 1 + len(after.ids), 1 : 1 + len(before.ids)]
            for rows, before, after in zip(upper, asked, told, strict=True)
        ]

    def _rows(self, texts: Sequence[Tokens], language: str) -> tuple[Tensor, Tensor]:
        """Framed and padded on the right: ids and mask, `(n, longest + 2)` int64."""
        longest = max(len(text.ids) for text in texts) + _FRAME
        ids = torch.full((len(texts), longest), self.vocabulary.pad)
        for row, text in enumerate(texts):
            framed = (self.vocabulary.language_id(language), *text.ids, self.vocabulary.end)
            ids[row, : len(framed)] = torch.tensor(framed)
        ids = ids.to(self._device)
        return ids, (ids != self.vocabulary.pad).long()

    def _in_batches(
        self, read: Sequence[Tokens], work: Callable[[slice], None], *, rows: int, count: int | None = None
    ) -> None:
        longest = max((len(tokens.ids) for tokens in read), default=0) + _FRAME
        inputs = len(read) if count is None else count
        self._batches.each(inputs, work, bytes_per_input=rows * self._row_bytes(longest))

    def _row_bytes(self, tokens: int) -> int:
        config = self.model.config
        written = self._facts.context_length
        # Keys and values of both attentions of every layer, twice because beams are reordered by copying.
        past = 2 * 2 * 2 * int(config.decoder_layers) * int(config.d_model) * (tokens + written)
        maps = int(config.decoder_layers) * int(config.decoder_attention_heads) * tokens * written
        scored = written * int(config.vocab_size) // self._beams
        return 4 * (past + maps + scored + _LIVE_LOGITS * int(config.vocab_size))


def _alignment(asked: Tokens, told: Tokens, weights: NDArray[np.float32]) -> Alignment:
    """Drop tokens without a letter, which draw attention that means nothing, and let each row sum to 1."""
    columns = [place for place, span in enumerate(asked.spans) if span is not None]
    rows = [place for place, span in enumerate(told.spans) if span is not None]
    kept = weights[np.ix_(rows, columns)]
    sums = kept.sum(axis=1, keepdims=True)
    return Alignment(
        source=tuple(span for span in asked.spans if span is not None),
        target=tuple(span for span in told.spans if span is not None),
        weights=np.divide(kept, sums, out=np.zeros_like(kept), where=sums > 0),
    )


def _check_folder(folder: Path) -> None:
    config = read_json(folder, "config.json")
    if config.get("model_type") != "m2m_100":
        raise ModelError(
            f"{folder}: config.json says {config.get('model_type')!r}, which is no translator",
            remedy="The translators that load are M2M100 folders.",
        )
    try:
        check_files(folder)
    except ModelMissingError:
        raise
    except ModelError as error:
        raise ModelError(
            str(error.args[0]),
            remedy="The main branch of facebook/m2m100_418M has pickles alone; its conversion to safetensors is a "
            "revision of its own, which the preset names: deixis models pull m2m100",
        ) from error


def _check_vocabulary(folder: Path, config: object, vocabulary: Vocabulary) -> None:
    size, pad, end = (int(getattr(config, name)) for name in ("vocab_size", "pad_token_id", "eos_token_id"))
    if size < vocabulary.size or (pad, end) != (vocabulary.pad, vocabulary.end):
        raise ModelError(
            f"{folder}: the tokenizer has {vocabulary.size} tokens, pads with {vocabulary.pad} and ends with "
            f"{vocabulary.end}; the weights have {size}, {pad} and {end}",
            remedy="They belong to different models; fetch both again.",
        )

"""How well phrases keep their place in a translation: a small M2M100, trained here on the storybook's own sentences.

    .venv/bin/python -m benchmarks.realignment [--steps N] [--folder FOLDER]

The storybook says the same sentence in six languages and knows where each noun phrase stands: the truth of every span.
A model of M2M100's architecture and tokenizer form learns to translate between them in a few minutes on two cores;
nothing of it ships. Printed for each language, English being the source, on scenes of the test split:

- given: the true translation is aligned by the model; share of phrases whose span is exactly the true one, and mean F1
  of their letters.
- own: the model translates a caption with its regions; share of translations that are word for word the storybook's,
  and share of regions whose phrase is.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sentencepiece
import torch
from transformers import M2M100Config, M2M100ForConditionalGeneration
from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

from storybook.language.captions import GRAMMARS, LANGUAGES, describe, tellable
from storybook.language.compose import Filling, Mention, Writer
from storybook.language.grammar import Words
from storybook.scenes import generate_scene
from storybook.world import Scene, Split
from vision.grounding.base import GroundedCaption
from vision.translation.m2m100 import M2M100Translator
from vision.translation.projection import project
from vision.translation.realign import translate_captions
from vision.translation.vocabulary import PIECES_FILE, Vocabulary
from vision.types import Box, Region, Span

_PIECES = 1600
_BATCH = 32
_PAD, _END, _IGNORED = 1, 2, -100
_SHAPE = {"encoder_layers": 2, "decoder_layers": 3, "d_model": 96, "encoder_ffn_dim": 192, "decoder_ffn_dim": 192}
_HEADS = {"encoder_attention_heads": 4, "decoder_attention_heads": 4}


@dataclass(frozen=True, slots=True)
class Told:
    """One sentence in one language, and where each mention stands, in the order in which English names them."""

    text: str
    spans: tuple[Span, ...]


def main() -> None:
    """Train, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--scenes", type=int, default=100, help="Scenes of the test split.")
    parser.add_argument("--folder", type=Path, help="Keep the model here; train only if it is empty.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        if not (folder / "model.safetensors").is_file():
            train(folder, list(sentences("train", range(1500))), arguments.steps)
        translator = M2M100Translator(folder, name="benchmark")
        told = list(sentences("test", range(arguments.scenes)))
        print(f"{len(told)} sentences; source English")
        for language in LANGUAGES[1:]:
            print(f"{language}: {evaluate(translator, told, language)}")


def sentences(split: Split, seeds: range) -> Iterator[dict[str, Told]]:
    """Every sentence of these scenes in all languages: what is there, and how two things stand to each other."""
    for seed in seeds:
        scene = generate_scene(seed, split)
        rng = random.Random(seed)
        yield _in_all(_present(scene, rng), rng)
        for relation, subject, other in tellable(scene, rng)[:2]:
            mentions = (Mention(subject, (0,)), Mention(other, (1,)))
            yield {
                code: _told(
                    code,
                    grammar.templates.relates[0],
                    Filling(subject=mentions[0], object=mentions[1], relating=grammar.relations[relation.name][0]),
                    2,
                )
                for code, grammar in GRAMMARS.items()
            }


def _present(scene: Scene, rng: random.Random) -> Filling:
    attributes = rng.choice([("colour",), ("colour", "pattern"), ("size", "colour")])
    counts = Counter(describe(thing, attributes) for thing in scene.things)
    words = [Words(one.kind, one.colour, one.size, one.pattern, count) for one, count in counts.items()]
    mentions = tuple(Mention(one, (place,)) for place, one in enumerate(words))
    return Filling(things=mentions, background=scene.background)


def _in_all(filling: Filling, rng: random.Random) -> dict[str, Told]:
    # Templates of different languages are no translations of each other, so their choice is part of the task.
    number = rng.randrange(5)
    return {
        code: _told(code, grammar.templates.brief[number], filling, len(filling.things))
        for code, grammar in GRAMMARS.items()
    }


def _told(code: str, template: str, filling: Filling, mentions: int) -> Told:
    writer = Writer(GRAMMARS[code])
    writer.sentence(template, filling)
    places = {indexes[0]: span for span, indexes in writer.phrases}
    return Told(writer.text, tuple(places[number] for number in range(mentions)))


def evaluate(translator: M2M100Translator, told: Sequence[dict[str, Told]], language: str) -> str:
    """The four figures of one language, in per cent."""
    english, truth = [one["en"] for one in told], [one[language] for one in told]
    alignments = translator.align(
        [one.text for one in english], [one.text for one in truth], source="en", target=language
    )
    exact, overlap = [], []
    for alignment, said, right in zip(alignments, english, truth, strict=True):
        for span, true in zip(project(alignment, right.text, said.spans), right.spans, strict=True):
            exact.append(span == true)
            overlap.append(_f1(span, true))
    translated = translate_captions(translator, [_as_caption(one) for one in english], target=language)
    phrases = []
    for caption, right in zip(translated, truth, strict=True):
        # A region knows which mention it is by its box; nothing else survives every language.
        by_box = {region.box: region for region in caption.regions}
        for box, true in zip(_boxes(right), right.spans, strict=True):
            phrases.append(by_box[box].phrase.lower() == right.text[true.start : true.end].lower())
    same = [caption.text == right.text for caption, right in zip(translated, truth, strict=True)]
    return (
        f"given: exact {_percent(exact)}, F1 {_percent(overlap)}; "
        f"own: translations {_percent(same)}, phrases {_percent(phrases)}"
    )


def _as_caption(told: Told) -> GroundedCaption:
    regions = tuple(
        Region(told.text[span.start : span.end], box, span, 1.0)
        for span, box in zip(told.spans, _boxes(told), strict=True)
    )
    return GroundedCaption(told.text, regions, 0, "en", 0.0, complete=True)


def _boxes(told: Told) -> list[Box]:
    count = len(told.spans)
    return [Box(number / count, 0.0, (number + 1) / count, 1.0) for number in range(count)]


def _f1(found: Span | None, true: Span) -> float:
    if found is None:
        return 0.0
    common = max(0, min(found.end, true.end) - max(found.start, true.start))
    return 2 * common / (found.end - found.start + true.end - true.start)


def _percent(values: Sequence[float]) -> str:
    return f"{100 * sum(values) / len(values):.1f}"


def train(folder: Path, told: Sequence[dict[str, Told]], steps: int) -> None:
    """Make tokenizer and weights of M2M100's form, and save them as the hub lays them out."""
    save_tokenizer(folder, [one.text for sentence in told for one in sentence.values()])
    vocabulary = Vocabulary(folder)
    rows = vocabulary.size + 8
    torch.manual_seed(0)
    config = M2M100Config(
        vocab_size=rows, dropout=0.0, encoder_layerdrop=0.0, decoder_layerdrop=0.0, **_SHAPE, **_HEADS
    )
    model = M2M100ForConditionalGeneration(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps, pct_start=0.1)
    ids = [{code: vocabulary.encode(one.text).ids for code, one in sentence.items()} for sentence in told]
    rng = random.Random(0)
    started = time.monotonic()
    for step in range(steps):
        pairs = [(rng.choice(ids), rng.choice(LANGUAGES[1:])) for _ in range(_BATCH)]
        source = _padded([(vocabulary.language_id("en"), *row["en"], _END) for row, _ in pairs], _PAD)
        target = _padded([(vocabulary.language_id(code), *row[code], _END) for row, code in pairs], _IGNORED)
        loss = model(source, attention_mask=(source != _PAD).long(), labels=target).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        if step % 100 == 99:
            print(f"step {step + 1}: loss {loss.item():.3f}, {time.monotonic() - started:.0f} s", flush=True)
    model.save_pretrained(folder)


def save_tokenizer(folder: Path, texts: Sequence[str], pieces: int = _PIECES) -> None:
    """Train the pieces on texts, and write M2M100's three tokenizer files."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, vocab_size=pieces, hard_vocab_limit=False, minloglevel=2
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    # The first three pieces are SentencePiece's own <unk>, <s> and </s>; M2M100 numbers its own four instead.
    words = [processor.id_to_piece(number) for number in range(3, processor.get_piece_size())]
    ids = {piece: number for number, piece in enumerate(["<s>", "<pad>", "</s>", "<unk>", *words])}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PIECES_FILE).write_bytes(model.getvalue())
    (folder / "vocab.json").write_text(json.dumps(ids), encoding="utf-8")
    codes = [f"__{code}__" for code in FAIRSEQ_LANGUAGE_CODES["m2m100"]]
    config = {"tokenizer_class": "M2M100Tokenizer", "additional_special_tokens": codes}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")


def _padded(rows: Sequence[Sequence[int]], filler: int) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows])

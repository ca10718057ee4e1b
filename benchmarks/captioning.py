"""What batches, precision and one look per picture are worth: ours against the model card's loop over `generate`.

    .venv/bin/python -m benchmarks.captioning [--size small|middle|full] [--pictures N] [--loop N] [--tokens N]
                                              [--threads N] [--precisions float32,bfloat16,int8]

Kosmos-2 with random weights, `full` in the released size (6.6 GB, made in a temporary folder). Both sides prepare
pictures of the same kind, put the same prompt and write exactly the same number of tokens, so speeds compare although
the words mean nothing; ours obeys the grammar of boxes besides. On the CPU the loop is as the model card shows it:
float32, one picture at a time. On CUDA it has our batch and bfloat16, and the share of the computed limit is printed:
reading the weights and multiplying at the rates that a copy and a product reach on the same device.
"""

from __future__ import annotations

import argparse
import gc
import string
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import (
    CLIPImageProcessorPil,
    Kosmos2Config,
    Kosmos2ForConditionalGeneration,
    Kosmos2Processor,
    XLMRobertaTokenizer,
)
from transformers.utils import logging as transformers_logging

from benchmarks.hardware import cpu_seconds
from vision.grounding.base import Decoding
from vision.grounding.decoding import Row, Sampling, Written, write
from vision.grounding.engine import Engine
from vision.grounding.grammar import BoxGrammar
from vision.grounding.prompts import caption_prompt
from vision.lanes import usable_cores
from vision.machine import processor_name
from vision.types import RgbImage

_SIZES: dict[str, dict[str, Any]] = {
    "small": {
        "text_config": {"embed_dim": 32, "layers": 2, "ffn_dim": 64, "attention_heads": 4},
        "vision_config": {
            **{"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2},
            **{"image_size": 28, "patch_size": 7},
        },
        "latent_query_num": 8,
    },
    "middle": {
        "text_config": {"embed_dim": 512, "layers": 8, "ffn_dim": 2048, "attention_heads": 8},
        "vision_config": {
            **{"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 8, "num_attention_heads": 4}
        },
    },
    "full": {},
}
"""What differs from the released shape."""
_PROMPT = caption_prompt("brief", "en", spoken=("en",))


@dataclass(frozen=True, slots=True)
class Cost:
    """What one picture took: wall-clock and CPU seconds."""

    wall_s: float
    cpu_s: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the ratios with the hardware."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=tuple(_SIZES), default="middle")
    parser.add_argument("--pictures", type=int, default=8, help="of ours, in one batch; on CUDA of both")
    parser.add_argument("--loop", type=int, default=2, help="pictures of the plain loop on the CPU")
    parser.add_argument("--tokens", type=int, default=60)
    parser.add_argument("--threads", type=int, default=usable_cores())
    parser.add_argument("--precisions", default="bfloat16" if torch.cuda.is_available() else "float32,bfloat16,int8")
    told = parser.parse_args(arguments)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    torch.set_num_threads(told.threads)
    on_cuda = torch.cuda.is_available()
    side = int(_SIZES[told.size].get("vision_config", {}).get("image_size", 224))
    pictures = _pictures(told.pictures, side * 2)
    device = torch.cuda.get_device_name() if on_cuda else f"{told.threads} threads, {processor_name()}"
    print(f"Kosmos-2, random weights, size {told.size}; {told.tokens} tokens a picture; {device}")
    with tempfile.TemporaryDirectory() as folder:
        _save(Path(folder), told.size)
        shown = pictures if on_cuda else pictures[: told.loop]
        at_once = len(shown) if on_cuda else 1
        plain = _plain(Path(folder), shown, told.tokens, at_once)
        _report(f"generate, {'bfloat16' if on_cuda else 'float32'}, batch {at_once}", plain, plain)
        for precision in told.precisions.split(","):
            ours, limit_s = _ours(Path(folder), pictures, told.tokens, precision, told.threads)
            _report(f"ours, {precision}, batch {len(pictures)}", ours, plain, limit_s)


def _report(name: str, cost: Cost, plain: Cost, limit_s: float | None = None) -> None:
    share = "" if limit_s is None else f", {100 * limit_s / cost.wall_s:.0f} % of the computed limit"
    ratios = f"{plain.wall_s / cost.wall_s:.2f}× the pictures/s, {plain.cpu_s / cost.cpu_s:.2f}× fewer CPU-s"
    print(f"{name:<30} {1 / cost.wall_s:8.3f} pictures/s {cost.cpu_s:8.3f} CPU-s/picture   {ratios}{share}", flush=True)


def _plain(folder: Path, pictures: Sequence[RgbImage], tokens: int, at_once: int) -> Cost:
    """The model card's way: processor, `generate`, one batch after the other."""
    on_cuda = torch.cuda.is_available()
    processor = Kosmos2Processor.from_pretrained(folder, local_files_only=True)
    model = Kosmos2ForConditionalGeneration.from_pretrained(
        folder, local_files_only=True, dtype=torch.bfloat16 if on_cuda else torch.float32
    ).eval()
    model.to("cuda" if on_cuda else "cpu")
    slots = int(model.config.latent_query_num)

    def loop(shown: Sequence[RgbImage]) -> None:
        for start in range(0, len(shown), at_once):
            images = [Image.fromarray(picture) for picture in shown[start : start + at_once]]
            inputs = processor(
                text=[_PROMPT] * len(images), images=images, num_image_tokens=slots, return_tensors="pt"
            ).to(model.device)
            model.generate(
                pixel_values=inputs["pixel_values"],
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                image_embeds=None,
                image_embeds_position_mask=inputs["image_embeds_position_mask"],
                use_cache=True,
                do_sample=False,
                max_new_tokens=tokens,
                eos_token_id=-1,
            )

    loop(pictures[:at_once])  # warm
    return _measured(lambda: loop(pictures), len(pictures))


def _ours(
    folder: Path, pictures: list[RgbImage], tokens: int, precision: str, threads: int
) -> tuple[Cost, float | None]:
    gc.collect()  # the model before is gone before the next one comes
    engine = Engine(folder, name="random", revision="", languages=None, threads=threads, precision=precision)
    decoding = Decoding(max_new_tokens=tokens)
    grammar = BoxGrammar(
        engine.vocabulary,
        size=engine.reader.width,
        max_boxes_per_phrase=decoding.max_boxes_per_phrase,
        device=engine.reader.device,
    )
    (prompt,) = engine.vocabulary.prompt_ids([_PROMPT])
    start = grammar.start(prompt, tokens=tokens, boxes=decoding.max_boxes, points=True)

    def work(latents: Tensor, picture_of: Sequence[int], part: slice) -> list[Written]:
        # No token stops a row: both sides write the same number.
        rows = [Row(picture, prompt, tokens, frozenset(), start) for picture in picture_of]
        return write(engine.reader, latents, rows, grammar=grammar, sampling=Sampling())

    def run() -> None:
        engine.in_batches(pictures, work, tokens=len(prompt) + tokens)

    run()  # warm, and the size of the batch is found
    cost = _measured(run, len(pictures))
    if not torch.cuda.is_available():
        return cost, None
    return cost, _limit_s(engine, len(prompt) + len(engine.vocabulary.prefix), tokens, len(pictures))


def _limit_s(engine: Engine, prompt: int, tokens: int, batch: int) -> float:
    """Seconds per picture if the device did nothing but read weights and multiply, at the rates that it reaches."""
    copied = torch.empty(1 << 30, dtype=torch.uint8, device="cuda")
    square = torch.randn(8192, 8192, dtype=engine.network.dtype, device="cuda")
    bytes_per_s = 2 * copied.numel() / _cuda_seconds(copied.clone)
    flop_per_s = 2 * 8192**3 / _cuda_seconds(lambda: square @ square)
    config = engine.network.config
    eyes, text = config.vision_config, config.text_config
    patches = (int(eyes.image_size) // int(eyes.patch_size)) ** 2 + 1
    eye = int(eyes.hidden_size)
    seen = int(eyes.num_hidden_layers) * eye * (4 * eye + 2 * int(eyes.intermediate_size)) * patches
    layers = int(text.layers) * int(text.embed_dim) * (4 * int(text.embed_dim) + 2 * int(text.ffn_dim))
    weights = layers + int(text.vocab_size) * int(text.embed_dim)
    width = torch.finfo(engine.network.dtype).bits // 8
    past = 2 * int(text.layers) * int(text.embed_dim) * (prompt + tokens // 2) * batch
    step_s = max(width * (weights + past) / bytes_per_s, 2 * weights * batch / flop_per_s)
    return tokens * step_s / batch + 2 * (seen + layers * prompt) / flop_per_s


def _cuda_seconds(work: Callable[[], object]) -> float:
    for _ in range(3):
        work()
    torch.cuda.synchronize()
    begun = time.perf_counter()
    for _ in range(10):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - begun) / 10


def _measured(work: Callable[[], object], pictures: int) -> Cost:
    wall_s, cpu_s = time.perf_counter(), cpu_seconds()
    work()
    return Cost((time.perf_counter() - wall_s) / pictures, (cpu_seconds() - cpu_s) / pictures)


def _save(folder: Path, size: str) -> None:
    specials = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces = [("▁", -2.0), *((letter, -6.0) for letter in string.ascii_letters + string.digits + ".,:;?!<>'()-")]
    config = Kosmos2Config(**_SIZES[size])
    side = int(config.vision_config.image_size)
    images = CLIPImageProcessorPil(do_center_crop=False, size={"height": side, "width": side})
    Kosmos2Processor(images, XLMRobertaTokenizer(vocab=specials + pieces)).save_pretrained(folder)
    torch.manual_seed(0)
    Kosmos2ForConditionalGeneration(config).save_pretrained(folder)


def _pictures(count: int, side: int) -> list[RgbImage]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (side, side, 3)).astype(np.uint8) for _ in range(count)]


if __name__ == "__main__":
    main(sys.argv[1:])

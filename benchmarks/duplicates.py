"""How well near-identical pictures are told from others: drawn scenes, saved again in many ways, grouped.

    python -m benchmarks.duplicates [--first 7000] [--scenes 500] [--bits 6] [--encoder NAME] [--pictures FOLDER]

Every scene is drawn once and changed in the ways of `CHANGES`. All pictures together are grouped by `search.near`, the
largest leading. Printed for each change: the share of scenes whose picture so changed is in the group of the drawn one.
Then, over the changes that make copies: the share of all pairs of pictures of one scene that are in one group (recall;
intervals by resampling scenes), of all pairs in one group the share that is of one scene (precision), how many scenes
share a group with another one, and how many pages of text do not.
Beside that, scenes in which two things have exchanged their colours: near as lines go, but other pictures.
With `--encoder`, the cosines of the vectors are printed at which changed pictures lie, and other pictures nearest by;
with `--pictures`, the JPEG files of a folder take the place of scenes.
"""

from __future__ import annotations

import argparse
import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

import search.near
from search.evaluation.ranking import bootstrap, mean_by, share
from search.near import leaders, unsigned
from storybook.drawing import render
from storybook.scenes import generate_scene
from storybook.twins import draw_rival, twins
from vision.encoders.registry import load_encoder
from vision.perceptual import PLAIN, perceptual_hash

DRAWN_PX = 512
Picture = Image.Image


def saved(picture: Picture, file_format: str, **options: int) -> Picture:
    """As a file of this format gives it back."""
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def smaller(picture: Picture, side_px: int) -> Picture:
    """Its longer side so long."""
    return ImageOps.contain(picture, (side_px, side_px))


def cut(picture: Picture, share_of_side: float) -> Picture:
    """Without this share of its size along each of the four sides."""
    x, y = round(picture.width * share_of_side), round(picture.height * share_of_side)
    return picture.crop((x, y, picture.width - x, picture.height - y))


def other_hues(picture: Picture) -> Picture:
    """Every hue a quarter of the circle further."""
    bands = list(picture.convert("HSV").split())
    bands[0] = bands[0].point([(value + 64) % 256 for value in range(256)])
    return Image.merge("HSV", bands).convert("RGB")


def warmer(picture: Picture) -> Picture:
    """As under another white balance: red 15 % up, blue 15 % down."""
    red, green, blue = picture.split()
    return Image.merge("RGB", (red.point(lambda v: min(255, v * 1.15)), green, blue.point(lambda v: v * 0.85)))


COPIES: dict[str, Callable[[Picture], Picture]] = {
    "JPEG, quality 90": lambda picture: saved(picture, "JPEG", quality=90),
    "JPEG, quality 50": lambda picture: saved(picture, "JPEG", quality=50),
    "JPEG, quality 15": lambda picture: saved(picture, "JPEG", quality=15),
    "half the size": lambda picture: smaller(picture, max(picture.size) // 2),
    "128 px, JPEG 40": lambda picture: saved(smaller(picture, 128), "JPEG", quality=40),
    "WebP, quality 60": lambda picture: saved(picture, "WEBP", quality=60),
    "GIF of 256 colours": lambda picture: saved(picture, "GIF"),
    "grey": lambda picture: ImageOps.grayscale(picture).convert("RGB"),
    "warmer": warmer,
    "a fifth brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    "1 % cut off each side": lambda picture: cut(picture, 0.01),
}
OTHERS: dict[str, Callable[[Picture], Picture]] = {
    "3 % cut off each side": lambda picture: cut(picture, 0.03),
    "6 % cut off each side": lambda picture: cut(picture, 0.06),
    "hues turned by 90°": other_hues,
    "mirrored": ImageOps.mirror,
}
CHANGES = COPIES | OTHERS
_COLOURS = "colours exchanged"


def scenes_of(first: int, count: int) -> Iterator[dict[str, Picture]]:
    """Scenes and their changes by their names; the scene itself is `drawn`."""
    for seed in range(first, first + count):
        made = changed(render(generate_scene(seed, "test"), DRAWN_PX).image)
        for twin in twins([seed]):
            rival = draw_rival(twin, DRAWN_PX) if twin.kind == "colours" else None
            made |= {} if rival is None else {_COLOURS: rival}
        yield made


def photographs(folder: Path) -> Iterator[dict[str, Picture]]:
    """Files and their changes, at most 1,024 pixels long."""
    for path in sorted(folder.rglob("*.jpg")):
        with Image.open(path) as opened:
            yield changed(smaller(ImageOps.exif_transpose(opened).convert("RGB"), 2 * DRAWN_PX))


def changed(picture: Picture) -> dict[str, Picture]:
    """A picture, which is `drawn`, and all its changes."""
    return {"drawn": picture} | {name: change(picture) for name, change in CHANGES.items()}


def page(seed: int) -> Picture:
    """A page of made-up words in lines of about the same length."""
    rng = random.Random(f"page:{seed}")
    picture = Image.new("RGB", (620, 877), "white")
    pen = ImageDraw.Draw(picture)
    for y in range(60, 820, 20):
        words = ("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(9))
        pen.text((60, y), " ".join(words), fill="black", font=ImageFont.load_default(size=14))
    return picture


def groups(hashes: NDArray[np.uint64], pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    """`(n,)`: the group of each picture; plain ones are alone."""
    found = np.arange(len(hashes))
    told = np.flatnonzero(hashes != PLAIN)
    order = told[np.argsort(-pixels[told], kind="stable")]
    found[order] = order[leaders(hashes[order])]
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=7_000, help="seed of the first scene")
    parser.add_argument("--scenes", type=int, default=500)
    parser.add_argument("--bits", type=int, nargs="+", default=[search.near.NEAR_BITS], help="at most 7")
    parser.add_argument("--encoder", help="whose vectors to look at as well")
    parser.add_argument("--pictures", type=Path, help="a folder of JPEG files instead")
    read = parser.parse_args()
    encoder = load_encoder(read.encoder) if read.encoder else None
    names: list[str] = []
    scenes: list[int] = []
    hashes: list[np.uint64] = []
    pixels: list[int] = []
    vectors: list[NDArray[np.float32]] = []
    drawn = photographs(read.pictures) if read.pictures else scenes_of(read.first, read.scenes)
    for number, made in enumerate(drawn):
        names += made
        scenes += [number] * len(made)
        hashes += [unsigned(perceptual_hash(picture)) for picture in made.values()]
        pixels += [picture.width * picture.height for picture in made.values()]
        if encoder is not None:
            vectors.append(encoder.encode_images([np.asarray(picture) for picture in made.values()]))
    for bits in read.bits:
        search.near.NEAR_BITS = bits
        found = groups(np.array(hashes, np.uint64), np.array(pixels))
        report(bits, np.array(names), np.array(scenes), found)
        pages = np.array([unsigned(perceptual_hash(page(read.first + number))) for number in range(read.scenes)])
        sizes = np.bincount(groups(pages, np.zeros(len(pages), np.int64)), minlength=len(pages))
        print(f"pages of text that lead no other and follow none: {share(sizes == 1)} of {len(pages)}")
    if vectors:
        report_vectors(np.array(names), np.array(scenes), np.concatenate(vectors))


def report(bits: int, names: NDArray[np.str_], scenes: NDArray[np.int64], found: NDArray[np.int64]) -> None:
    """What was found at one threshold."""
    own = {scene: group for scene, group, name in zip(scenes, found, names, strict=True) if name == "drawn"}
    print(f"\nwithin {bits} bits, {len(own)} scenes, {len(names)} pictures\n")
    print("| change | per cent grouped with the drawn picture |\n|---|---|")
    for name in [*CHANGES, _COLOURS]:
        at = np.flatnonzero(names == name)
        print(f"| {name} | {share([bool(found[one] == own[scenes[one]]) for one in at])} of {len(at)} |")
    same, by = [], []
    copies = np.isin(names, ["drawn", *COPIES])
    for scene in own:
        inside = found[copies & (scenes == scene)]
        pairs = inside[:, None] == inside[None]
        same += pairs[np.triu_indices(len(inside), 1)].tolist()
        by += [int(scene)] * (len(inside) * (len(inside) - 1) // 2)
    right, wrong = pairs_in_groups(scenes[names != _COLOURS], found[names != _COLOURS])
    print(
        f"\npairs of copies in one group (recall): {mean_by(np.array(same, np.float64), np.array(by))} of {len(same)}"
    )
    total = right + wrong
    precision = bootstrap(len(own), lambda some: float(right[some].sum() / total[some].sum()))
    of = f"{wrong.sum():.0f} wrong of {total.sum():.0f}"
    print(f"pairs in one group that are of one scene (precision): {precision}, {of}")
    print(f"scenes that share a group with another: {share(wrong > 0)} of {len(own)}")


def pairs_in_groups(
    scenes: NDArray[np.int64], found: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each scene its pairs within groups, and half of those that it has with other scenes there."""
    in_both = np.zeros((scenes.max() + 1, found.max() + 1))
    np.add.at(in_both, (scenes, found), 1)
    right = (in_both * (in_both - 1) / 2).sum(axis=1)
    wrong = (in_both * (in_both.sum(axis=0) - in_both) / 2).sum(axis=1)
    return right, wrong


def report_vectors(names: NDArray[np.str_], scenes: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
    """Cosines to the drawn picture, and those of other scenes that lie nearest to it."""
    drawn = names == "drawn"
    places = {scene: row for row, scene in enumerate(scenes[drawn])}
    ours = vectors[drawn]
    between = ours @ ours.T
    np.fill_diagonal(between, -1)
    print("\n| change | cosine to the drawn picture: least, 5th percentile, median |\n|---|---|")
    for name in [*CHANGES, _COLOURS]:
        at = np.flatnonzero(names == name)
        if len(at):
            cosines = (vectors[at] * ours[[places[scene] for scene in scenes[at]]]).sum(axis=1)
            print(f"| {name} | {cosines.min():.3f}, {np.percentile(cosines, 5):.3f}, {np.median(cosines):.3f} |")
    nearest = between.max(axis=1)
    print(f"| the nearest other scene | largest {nearest.max():.3f}, median {np.median(nearest):.3f} |")


if __name__ == "__main__":
    main()

"""`deixis eval classification`: is the picture's class the label that fits it best?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import decode_limits, encoder_at_hand, read_settings
from deixis.figures import figure_table
from deixis.options import Json, ModelName, Threads
from deixis.output import err, out, print_json, printable
from search.evaluation.classification import classification_figures
from vision.classify import TEMPLATES, Classifier, LabelError
from vision.images import DecodeRequest, DecoderPool, Refused

METHOD = (
    "The embeddings of all sentences about a label are averaged (Radford et al., 2021, 3.1.4); the label with the "
    "highest cosine is the answer. No library takes part. Intervals are 95 %: Wilson's; over classes, bootstrap."
)


def classification(
    folder: Annotated[Path, typer.Argument(help="One folder of pictures for each class, as ImageNet's val.")],
    names: Annotated[
        Path | None, typer.Option("--names", help="A text file: folder, tab, label. Else folders are the labels.")
    ] = None,
    template: Annotated[
        list[str] | None,
        typer.Option("--template", help="A sentence with {} for the label; may be repeated.", show_default="built in"),
    ] = None,
    model: ModelName = None,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Top-1, top-5 and mean per class of an encoder on pictures sorted into folders; exit code 3 if some were left out.

    ImageNet zero-shot as CLIP's paper reports it: --names with its class names and its 80 templates.
    """
    settings = read_settings(model=model, threads=threads)
    labels = _labels(folder, names)
    encoder = encoder_at_hand(settings)
    classifier = Classifier(encoder, list(labels.values()), templates=template or TEMPLATES)
    ranks: dict[str, list[float]] = {}
    left_out: list[dict[str, str]] = []
    with DecoderPool(decode_limits(settings)) as pool:
        for place, label in labels.items():
            for path in sorted(one for one in (folder / place).iterdir() if one.is_file()):
                answer = pool.decode(DecodeRequest(path=str(path), preprocessing=encoder.facts.preprocessing))
                if isinstance(answer, Refused) or answer.pixels is None:
                    reason = answer.reason if isinstance(answer, Refused) else "no pixels"
                    left_out.append({"path": printable(str(path)), "reason": printable(reason)})
                    continue
                scores = classifier.rank(encoder.encode_prepared(answer.pixels[None]))[0]
                found = next(rank for rank, score in enumerate(scores, start=1) if score.label == label.strip())
                ranks.setdefault(label, []).append(float(found))
    figures = classification_figures(ranks, len(labels))
    if json:
        print_json({"model": encoder.facts.name, "method": METHOD, "figures": figures, "left_out": left_out})
    else:
        out().print(f"{encoder.facts.name}: {figures.top_1.n} pictures, {figures.classes} classes")
        rows = {name: [getattr(figures, name)] for name in ("top_1", "top_5", "mean_per_class")}
        out().print(f"{figure_table(['%'], rows)}\n{METHOD}")
    for one in left_out[:10]:
        err().print(f"  left out: {one['path']}: {one['reason']}")
    if not figures.top_1.n:
        return exit_codes.ERROR
    return exit_codes.PARTIAL if left_out else exit_codes.OK


def _labels(folder: Path, names: Path | None) -> dict[str, str]:
    """Folder → label, in the order of the folders.

    Raises:
        LabelError: the folder or the names cannot be read, or a folder has no name in the file.
    """
    try:
        places = sorted(one.name for one in folder.iterdir() if one.is_dir())
        lines = names.read_text(encoding="utf-8-sig").splitlines() if names else [f"{one}\t{one}" for one in places]
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{error}", remedy="Give a folder of folders, and names in UTF-8.") from error
    known = dict(line.split("\t", 1) for line in lines if "\t" in line)
    missing = [place for place in places if place not in known]
    if missing or not places:
        fact = f"{names}: no label for the folder {missing[0]}" if missing else f"{folder}: no folder of a class in it"
        raise LabelError(fact, remedy="Each class is a folder; --names has a line for each: folder, tab, label.")
    return {place: known[place] for place in places}

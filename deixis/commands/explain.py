"""`deixis explain`: where in a picture the words of its caption, or of your own query, are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from deixis import exit_codes, explained_folder
from deixis.context import encoder_at_hand, read_picture, read_settings
from deixis.options import CaptionerName, DatabaseUrl, Home, Json, Language, ModelName, Threads
from deixis.output import out, print_json, printable
from search.query.plan import clean_text
from search.query.sentences.parts import parts_of
from vision.explanation import Explanation, explain_caption, explain_query, explain_text
from vision.grounding.presets import DEFAULT_CAPTIONER
from vision.grounding.registry import load_captioner


def explain(
    image: Annotated[Path, typer.Argument(help="A picture file.")],
    query: Annotated[
        str | None, typer.Option("--query", help="Where are these words? Without it: those of a caption.")
    ] = None,
    captioner: CaptionerName = None,
    detail: Annotated[Literal["brief", "detailed"], typer.Option("--detail", help="How much to say.")] = "brief",
    language: Language = None,
    folder: Annotated[
        Path | None,
        typer.Option("--out", help="New, or of an earlier run.", show_default="NAME-explained"),
    ] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    model: ModelName = None,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Write a picture per word that shows where the word is: of a caption, or of your --query.

    Without --query a captioner describes the picture, and its attention is shown. With it the encoder of the search
    compares each patch with the query, its things and its words; with --captioner too, so does its attention.
    """
    settings = read_settings(home=home, database_url=database_url, model=model, captioner=captioner, threads=threads)
    words = clean_text(query) if query is not None else None
    place = (folder or Path(f"{image.stem}-explained")).expanduser()
    explained_folder.check(place)
    pixels = read_picture(image, settings)
    explanations: list[Explanation] = []
    if words is not None:
        explanations.append(explain_query(encoder_at_hand(settings), pixels, words, parts_of(words)))
    if words is None or captioner is not None:
        watched = load_captioner(settings.captioner or DEFAULT_CAPTIONER, threads=settings.compute_threads)
        explanations.append(
            explain_caption(watched, pixels, detail=detail, language=language)
            if words is None
            else explain_text(watched, pixels, words)
        )
    index = explained_folder.write(place, image.name, pixels, explanations)
    if json:
        print_json({"folder": printable(str(place.absolute())), **index})
    else:
        _print(index, place)
    return exit_codes.OK


def _print(index: dict[str, Any], place: Path) -> None:
    console = out()
    for entry in index["explanations"]:
        console.print(f"{entry['kind']} of {entry['model']}: “{printable(entry['text'])}”")
        width = max((len(word["text"]) for word in entry["words"]), default=0)
        for word in entry["words"]:
            line = f"  {printable(word['text']):<{width}}  {word['low']:.3f} to {word['high']:.3f}"
            if word["off_picture"] is not None:
                line += (
                    f"  {word['off_picture']:4.0%} off the picture, {word['off_patches']:4.0%} of the rest off patches"
                )
            console.print(f"{line}  {word['file']}")
    console.print(f"{place / index['sheet']} has all of them")

"""Every command with its one line, its home, examples and exit codes; read before anything else is imported."""

from __future__ import annotations

from deixis.command_row import EXIT_CODES_PAGE, CommandRow, row_of
from deixis.library_commands import LIBRARY_ROWS

__all__ = ["COMMANDS", "EXIT_CODES_PAGE", "CommandRow"]

_OTHER_ROWS = (
    row_of(
        "doctor",
        "doctor:doctor",
        "Look at versions, backends, memory, disk, database and model; say what is wrong.",
        "deixis doctor",
        "deixis doctor --json",
    ),
    row_of("models", "models", "List, download and locate the models that read pictures and words."),
    row_of(
        "models list",
        "models:list_models",
        "Show every preset: licence, size, quality, and whether it is here.",
        "deixis models list",
    ),
    row_of(
        "models pull",
        "models:pull",
        "Download a model into the hub cache and pin the commit that came.",
        "deixis models pull siglip2-base",
    ),
    row_of(
        "models path",
        "models:path",
        "Print the folder of a model that is on this machine.",
        "deixis models path siglip2-base",
    ),
    row_of(
        "models locate",
        "locate:locate",
        "Remember where a model lies: a preset's, or that of the library's own encoder.",
        "deixis models locate siglip2-base /data/models/siglip2-base",
        "deixis models locate library /mnt/new/place/my-encoder",
    ),
    row_of(
        "demo",
        "demo:demo",
        "Draw a gallery, index and caption it, search it, and serve the page; needs no network.",
        "deixis demo",
        "deixis demo --count 40 --no-serve",
    ),
    row_of("eval", "evaluate", "Measure quality on pictures whose captions are known."),
    row_of(
        "eval retrieval",
        "retrieval:retrieval",
        "Measure how often a caption finds its own picture, and a picture its captions.",
        "deixis eval retrieval --captions captions.json --fusion",
        "deixis eval retrieval --captions dataset_coco.json --split test --positives eccv_caption_to_image.json",
        "deixis eval retrieval --pairs swap_obj.json --pairs add_att.json",
        partial=True,
    ),
    row_of(
        "eval relations",
        "relations:relations",
        "Measure relations, counts, bound colours and negation on drawn scenes, with and without captions.",
        "deixis eval relations --scenes 500 --first 6000",
        "deixis eval relations --language de --json",
    ),
    row_of(
        "eval absent",
        "absent:absent",
        "Measure whether what is not there is said to be absent: on drawn scenes, or on your library.",
        "deixis eval absent --scenes 500 --first 6000",
        "deixis eval absent --instances instances_val2017.json",
        partial=True,
    ),
    row_of(
        "eval classification",
        "classification:classification",
        "Measure how often a picture's class is the label that fits it best, without training.",
        "deixis eval classification imagenet/val --names classes.tsv --model siglip2-base",
        partial=True,
    ),
    row_of(
        "eval grounding",
        "grounding:grounding",
        "Measure whether the box drawn for a phrase is the right one: Flickr30k Entities, RefCOCO.",
        "deixis eval grounding --entities flickr30k_entities --ids test.txt --pictures flickr30k-images",
        "deixis eval grounding --refs 'refs(unc).p' --instances instances.json --pictures train2014 --by patches",
        partial=True,
    ),
    row_of(
        "eval captions",
        "caption_quality:captions",
        "Measure how near written captions come to people's: BLEU-4, ROUGE-L, CIDEr-D, CLIPScore.",
        "deixis eval captions --captions captions_val2014.json --generated results.json",
        "deixis eval captions --captions captions.json --pictures ~/Pictures --captioner florence2-base",
        partial=True,
    ),
    row_of(
        "eval storybook",
        "evaluate:storybook",
        "Measure an encoder on drawn test scenes; needs no library and no download.",
        "deixis eval storybook --scenes 200",
    ),
    row_of(
        "eval captioner",
        "evaluate:captioner",
        "Measure a captioner on drawn test scenes: things named, pointed at, asked about.",
        "deixis eval captioner --scenes 200",
    ),
    row_of(
        "quality",
        "quality:quality",
        "Measure what each backend and precision of a model costs and gains here.",
        "deixis quality siglip2-base --captions captions.json --pictures ~/Pictures",
        partial=True,
    ),
    row_of(
        "export",
        "export:export",
        "Write a model's ONNX graphs and compare them with PyTorch.",
        "deixis export siglip2-base --out siglip2-base-onnx",
    ),
)

COMMANDS = {row.name: row for row in (*LIBRARY_ROWS, *_OTHER_ROWS)}
"""Every command by its name, in the order of `deixis --help`."""

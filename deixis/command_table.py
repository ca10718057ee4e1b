"""Every command with its one line, its home, examples and exit codes; read before anything else is imported."""

from __future__ import annotations

from dataclasses import dataclass

_MEANINGS = {
    0: "done",
    1: "it could not be done, or something is wrong",
    2: "misuse of the command line",
    3: "done, but something was left out",
    130: "interrupted; what was finished is kept",
}
EXIT_CODES_PAGE = "docs/exit-codes.md"


@dataclass(frozen=True, slots=True)
class CommandRow:
    """One command.

    Attributes:
        name: as it is typed, with its group.
        target: `module:function`; the module alone for a group.
        summary: what it is for, in one line.
        examples: whole command lines that can be pasted.
        codes: exit codes that it can end with, besides 1, 2 and 130, which every command has.
    """

    name: str
    target: str
    summary: str
    examples: tuple[str, ...] = ()
    codes: tuple[int, ...] = (0,)

    @property
    def epilog(self) -> str:
        """What stands below the options: examples and exit codes, kept in their lines."""
        codes = sorted({*self.codes, 1, 2, 130})
        shown = ", ".join(f"{code} {_MEANINGS[code]}" for code in codes)
        examples = "\n".join(f"  {line}" for line in self.examples)
        return f"\b\nExamples:\n{examples}\n\nExit codes ({EXIT_CODES_PAGE}): {shown}."


def _row(name: str, target: str, summary: str, *examples: str, partial: bool = False) -> CommandRow:
    return CommandRow(name, f"deixis.commands.{target}", summary, examples, (0, 3) if partial else (0,))


_ROWS = (
    _row(
        "index",
        "index:index",
        "Index folders of pictures; a second run touches only what changed.",
        "deixis index ~/Pictures",
        "deixis index                     # all folders given before",
        "deixis index ~/Pictures --model siglip2-base --backend auto",
        "deixis index ~/Pictures --exclude 'raw/' --exclude '*_edited.jpg'",
        partial=True,
    ),
    _row(
        "forget",
        "forget:forget",
        "Take folders or files out of the library; nothing on the disk is touched.",
        "deixis forget ~/Pictures/scans",
        "deixis forget ~/Pictures/scans --dry-run",
    ),
    _row(
        "search",
        "search:search",
        "Search the library by words, or by a picture with --like.",
        "deixis search two zebras at a waterhole",
        "deixis search street -dog        # --words with two dashes go behind --",
        "deixis search --like holiday.jpg -k 20",
    ),
    _row(
        "duplicates",
        "duplicates:duplicates",
        "List files that show the same picture, byte for byte or nearly; nothing is deleted.",
        "deixis duplicates",
        "deixis duplicates --below ~/Pictures/phone --limit 20",
        "deixis duplicates --exact --json",
        partial=True,
    ),
    _row(
        "caption",
        "caption:caption",
        "Let a captioner write about every picture and point at what it names.",
        "deixis caption --captioner florence2-base",
        "deixis caption --captioner kosmos2 --language it --translator m2m100",
        partial=True,
    ),
    _row(
        "read",
        "read:read",
        "Read the text in every picture, so that its words are found and shown.",
        "deixis read",
        "deixis read --folder ~/Pictures/Screenshots",
        "deixis read --reader ~/readers/cyrillic",
        partial=True,
    ),
    _row("captions", "captions", "List whose captions and boxes the library holds, or forget one source."),
    _row(
        "captions list",
        "captions:list_sources_",
        "Show every source of captions and boxes with its counts and languages.",
        "deixis captions list",
    ),
    _row(
        "captions forget",
        "captions:forget",
        "Erase the captions, boxes and texts of one source; pictures stay.",
        "deixis captions forget import",
        "deixis captions forget kosmos2   # what `deixis captions list` shows, or its beginning",
    ),
    _row(
        "import",
        "imports:import_",
        "Import captions, phrases and boxes of indexed pictures.",
        "deixis import captions.json --boxes instances.json",
        "deixis import notes.jsonl",
        partial=True,
    ),
    _row(
        "explain",
        "explain:explain",
        "Write a picture per word that shows where the word is.",
        'deixis explain photo.jpg --query "a green bicycle"',
        "deixis explain photo.jpg --captioner florence2-base",
    ),
    _row(
        "classify",
        "classify:classify",
        "Say which of your labels fits each picture best.",
        'deixis classify photo.jpg --labels "a cat, a dog, a fox"',
        partial=True,
    ),
    _row(
        "serve",
        "serve:serve",
        "Serve the web page and the API until stopped.",
        "deixis serve",
        "deixis serve --port 9000 --captioner florence2-base",
    ),
    _row("status", "status:status", "Show what the library holds.", "deixis status"),
    _row(
        "verify",
        "verify:verify",
        "Check every checksum and every reference of the library.",
        "deixis verify",
        "deixis verify --json",
    ),
    _row(
        "rebuild",
        "rebuild:rebuild",
        "Make the search index again from the stored vectors.",
        "deixis rebuild",
        "deixis rebuild --compact",
    ),
    _row("jobs", "jobs", "See what bulk jobs run, wait or have ended, and steer them."),
    _row(
        "jobs list",
        "jobs:list_",
        "Show what runs and waits, and what has ended last.",
        "deixis jobs list",
        "deixis jobs list --json",
    ),
    _row(
        "jobs show", "jobs:show", "Show one job: arguments, progress, report, and what happened.", "deixis jobs show 7"
    ),
    _row(
        "jobs pause",
        "jobs:pause",
        "Let a job stop at its next step and wait; what is finished is kept.",
        "deixis jobs pause 7",
    ),
    _row("jobs resume", "jobs:resume", "Let a paused job go on.", "deixis jobs resume 7"),
    _row("jobs cancel", "jobs:cancel", "End a job at its next step; what is finished is kept.", "deixis jobs cancel 7"),
    _row("jobs retry", "jobs:retry", "Queue a job again that has ended.", "deixis jobs retry 7"),
    _row(
        "worker",
        "worker:worker",
        "Work on queued jobs until stopped.",
        "deixis worker",
        "deixis worker --until-empty",
        partial=True,
    ),
    _row(
        "doctor",
        "doctor:doctor",
        "Look at versions, backends, memory, disk, database and model; say what is wrong.",
        "deixis doctor",
        "deixis doctor --json",
    ),
    _row("models", "models", "List, download and locate the models that read pictures and words."),
    _row(
        "models list",
        "models:list_models",
        "Show every preset: licence, size, quality, and whether it is here.",
        "deixis models list",
    ),
    _row(
        "models pull",
        "models:pull",
        "Download a model into the hub cache and pin the commit that came.",
        "deixis models pull siglip2-base",
    ),
    _row(
        "models path",
        "models:path",
        "Print the folder of a model that is on this machine.",
        "deixis models path siglip2-base",
    ),
    _row(
        "models locate",
        "locate:locate",
        "Remember where a model lies: a preset's, or that of the library's own encoder.",
        "deixis models locate siglip2-base /data/models/siglip2-base",
        "deixis models locate library /mnt/new/place/my-encoder",
    ),
    _row(
        "demo",
        "demo:demo",
        "Draw a gallery, index and caption it, search it, and serve the page; needs no network.",
        "deixis demo",
        "deixis demo --count 40 --no-serve",
    ),
    _row("eval", "evaluate", "Measure quality on pictures whose captions are known."),
    _row(
        "eval retrieval",
        "retrieval:retrieval",
        "Measure how often a caption finds its own picture, and a picture its captions.",
        "deixis eval retrieval --captions captions.json --fusion",
        "deixis eval retrieval --captions dataset_coco.json --split test --positives eccv_caption_to_image.json",
        "deixis eval retrieval --pairs swap_obj.json --pairs add_att.json",
        partial=True,
    ),
    _row(
        "eval relations",
        "relations:relations",
        "Measure relations, counts, bound colours and negation on drawn scenes, with and without captions.",
        "deixis eval relations --scenes 500 --first 6000",
        "deixis eval relations --language de --json",
    ),
    _row(
        "eval absent",
        "absent:absent",
        "Measure whether what is not there is said to be absent: on drawn scenes, or on your library.",
        "deixis eval absent --scenes 500 --first 6000",
        "deixis eval absent --instances instances_val2017.json",
        partial=True,
    ),
    _row(
        "eval classification",
        "classification:classification",
        "Measure how often a picture's class is the label that fits it best, without training.",
        "deixis eval classification imagenet/val --names classes.tsv --model siglip2-base",
        partial=True,
    ),
    _row(
        "eval grounding",
        "grounding:grounding",
        "Measure whether the box drawn for a phrase is the right one: Flickr30k Entities, RefCOCO.",
        "deixis eval grounding --entities flickr30k_entities --ids test.txt --pictures flickr30k-images",
        "deixis eval grounding --refs 'refs(unc).p' --instances instances.json --pictures train2014 --by patches",
        partial=True,
    ),
    _row(
        "eval captions",
        "caption_quality:captions",
        "Measure how near written captions come to people's: BLEU-4, ROUGE-L, CIDEr-D, CLIPScore.",
        "deixis eval captions --captions captions_val2014.json --generated results.json",
        "deixis eval captions --captions captions.json --pictures ~/Pictures --captioner florence2-base",
        partial=True,
    ),
    _row(
        "eval storybook",
        "evaluate:storybook",
        "Measure an encoder on drawn test scenes; needs no library and no download.",
        "deixis eval storybook --scenes 200",
    ),
    _row(
        "eval captioner",
        "evaluate:captioner",
        "Measure a captioner on drawn test scenes: things named, pointed at, asked about.",
        "deixis eval captioner --scenes 200",
    ),
    _row(
        "quality",
        "quality:quality",
        "Measure what each backend and precision of a model costs and gains here.",
        "deixis quality siglip2-base --captions captions.json --pictures ~/Pictures",
        partial=True,
    ),
    _row(
        "export",
        "export:export",
        "Write a model's ONNX graphs and compare them with PyTorch.",
        "deixis export siglip2-base --out siglip2-base-onnx",
    ),
)

COMMANDS = {row.name: row for row in _ROWS}
"""Every command by its name, in the order of `deixis --help`."""

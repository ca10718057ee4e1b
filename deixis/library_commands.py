"""The commands that fill, search, serve and keep a library."""

from __future__ import annotations

from deixis.command_row import row_of

LIBRARY_ROWS = (
    row_of(
        "index",
        "index:index",
        "Index folders of pictures; a second run touches only what changed.",
        "deixis index ~/Pictures",
        "deixis index                     # all folders given before",
        "deixis index ~/Pictures --model siglip2-base --backend auto",
        "deixis index ~/Pictures --exclude 'raw/' --exclude '*_edited.jpg'",
        "deixis index holiday.zip shard-000017.tar",
        partial=True,
    ),
    row_of(
        "forget",
        "forget:forget",
        "Take folders or files out of the library; nothing on the disk is touched.",
        "deixis forget ~/Pictures/scans",
        "deixis forget ~/Pictures/scans --dry-run",
    ),
    row_of(
        "search",
        "search:search",
        "Search the library by words, or by a picture with --like.",
        "deixis search two zebras at a waterhole",
        "deixis search street -dog        # --words with two dashes go behind --",
        "deixis search --like holiday.jpg -k 20",
    ),
    row_of(
        "duplicates",
        "duplicates:duplicates",
        "List files that show the same picture, byte for byte or nearly; nothing is deleted.",
        "deixis duplicates",
        "deixis duplicates --below ~/Pictures/phone --limit 20",
        "deixis duplicates --exact --json",
        partial=True,
    ),
    row_of(
        "caption",
        "caption:caption",
        "Let a captioner write about every picture and point at what it names.",
        "deixis caption --captioner florence2-base",
        "deixis caption --captioner kosmos2 --language it --translator m2m100",
        partial=True,
    ),
    row_of(
        "read",
        "read:read",
        "Read the text in every picture, so that its words are found and shown.",
        "deixis read",
        "deixis read --folder ~/Pictures/Screenshots",
        "deixis read --reader ~/readers/cyrillic",
        partial=True,
    ),
    row_of(
        "captions", "captions", "List whose captions and boxes the library holds, choose which are told, or erase some."
    ),
    row_of(
        "captions list",
        "captions:list_sources_",
        "Show every source of captions and boxes with its counts and languages.",
        "deixis captions list",
    ),
    row_of(
        "captions use",
        "captions:use",
        "Choose whose captions and boxes are searched and shown; the other captioners' are kept.",
        "deixis captions use florence2-base",
        "deixis captions use all",
    ),
    row_of(
        "captions drop",
        "captions:drop",
        "Erase what a captioner has said in one language and detail, or altogether.",
        "deixis captions drop 2           # the number that `deixis captions list` shows",
    ),
    row_of(
        "captions forget",
        "captions:forget",
        "Erase the captions, boxes and texts of one source; pictures stay.",
        "deixis captions forget import",
        "deixis captions forget kosmos2   # what `deixis captions list` shows, or its beginning",
    ),
    row_of(
        "import",
        "imports:import_",
        "Import captions, phrases and boxes of indexed pictures.",
        "deixis import captions.json --boxes instances.json",
        "deixis import notes.jsonl",
        partial=True,
    ),
    row_of(
        "explain",
        "explain:explain",
        "Write a picture per word that shows where the word is.",
        'deixis explain photo.jpg --query "a green bicycle"',
        "deixis explain photo.jpg --captioner florence2-base",
    ),
    row_of(
        "classify",
        "classify:classify",
        "Say which of your labels fits each picture best.",
        'deixis classify photo.jpg --labels "a cat, a dog, a fox"',
        partial=True,
    ),
    row_of(
        "serve",
        "serve:serve",
        "Serve the web page and the API until stopped.",
        "deixis serve",
        "deixis serve --port 9000 --captioner florence2-base",
    ),
    row_of("keys", "keys", "Make, list and end the keys of whoever asks over a network."),
    row_of(
        "keys add",
        "keys:add",
        "Make a key for a person or a program; it is printed this once.",
        "deixis keys add phone",
        "deixis keys add backup-script --scope read --expires 90d",
    ),
    row_of("keys list", "keys:list_", "Show every key: what it allows, when it was last used.", "deixis keys list"),
    row_of(
        "keys revoke", "keys:revoke", "End a key, and every session that it has opened.", "deixis keys revoke phone"
    ),
    row_of(
        "mcp",
        "mcp:mcp",
        "Let an assistant search and look, by the Model Context Protocol.",
        "deixis mcp",
        "deixis mcp --http 127.0.0.1:8485",
    ),
    row_of("status", "status:status", "Show what the library holds.", "deixis status"),
    row_of(
        "verify",
        "verify:verify",
        "Check every checksum and every reference of the library.",
        "deixis verify",
        "deixis verify --json",
    ),
    row_of(
        "rebuild",
        "rebuild:rebuild",
        "Make the search index again from the stored vectors.",
        "deixis rebuild",
        "deixis rebuild --compact",
    ),
    row_of(
        "export-library",
        "export_library:export_library",
        "Write the whole library as Parquet files: for a backup, another machine, or other programs.",
        "deixis export-library ~/backup/pictures-2026",
        "deixis export-library ~/backup/pictures-2026 --previews",
    ),
    row_of(
        "import-library",
        "import_library:import_library",
        "Fill an empty home with a library that was exported.",
        "deixis import-library ~/backup/pictures-2026 --home ~/new-library",
        "deixis import-library ~/backup/pictures-2026 --map /home/ada/Pictures=/data/pictures",
        partial=True,
    ),
    row_of(
        "watch",
        "watch:watch",
        "Keep the library up to date with its folders until stopped.",
        "deixis watch",
        "deixis serve --watch             # the same beside the pages",
    ),
    row_of("jobs", "jobs", "See what bulk jobs run, wait or have ended, and steer them."),
    row_of(
        "jobs list",
        "jobs:list_",
        "Show what runs and waits, and what has ended last.",
        "deixis jobs list",
        "deixis jobs list --json",
    ),
    row_of(
        "jobs show", "jobs:show", "Show one job: arguments, progress, report, and what happened.", "deixis jobs show 7"
    ),
    row_of(
        "jobs pause",
        "jobs:pause",
        "Let a job stop at its next step and wait; what is finished is kept.",
        "deixis jobs pause 7",
    ),
    row_of("jobs resume", "jobs:resume", "Let a paused job go on.", "deixis jobs resume 7"),
    row_of(
        "jobs cancel", "jobs:cancel", "End a job at its next step; what is finished is kept.", "deixis jobs cancel 7"
    ),
    row_of("jobs retry", "jobs:retry", "Queue a job again that has ended.", "deixis jobs retry 7"),
    row_of(
        "worker",
        "worker:worker",
        "Work on queued jobs until stopped.",
        "deixis worker",
        "deixis worker --until-empty",
        partial=True,
    ),
)

"""The folders and files that nobody means when they say "my pictures": one table, shown in `docs/folders.md`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import translate
from types import MappingProxyType

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "thumbnails": "thumbnails and previews",
        "recycle": "recycle bins",
        "snapshots": "snapshots and old versions",
        "system": "of the system",
        "catalogues": "photo programs' own",
        "sync": "of sync programs",
        "unfinished": "unfinished or temporary",
        "hidden": "hidden (the name begins with a dot)",
        "nomedia": "marked by .nomedia",
        "deixisignore": "by .deixisignore",
        "excluded": "by --exclude",
        "link": "links to folders (--follow-links follows them)",
        "linked-twice": "links to folders that are in already",
        "archive": "archives (--archives opens them)",
        "library": "a library of Deixis",
    }
)
"""Every kind of reason, with the words of the report. The keys are stable: programs count by them."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names that are passed over; `*`, `?` and `[…]` as in a shell, upper and lower case alike.

    Attributes:
        kind: a key of `KINDS`.
        whose: who makes them.
        folders: names of folders; `parent/name` asks for the parent's name too.
        files: names of files.
    """

    kind: str
    whose: str
    folders: str = ""
    files: str = ""


BUILT_IN: tuple[Names, ...] = (
    Names("thumbnails", "Synology", "@eaDir", "SYNOPHOTO_THUMB_* SYNOFILE_THUMB_*"),
    Names("thumbnails", "QNAP", ".@__thumb @__thumb"),
    Names("thumbnails", "WD My Cloud", ".wdmc .wdphotos"),
    Names("thumbnails", "desktops and phones", ".thumbnails .thumbs .xvpics", ".thumbdata* Thumbs.db ehthumbs*.db"),
    Names("thumbnails", "cameras", "M4ROOT/THMBNL", "*.thm"),
    Names("thumbnails", "Lightroom", "*.lrdata"),
    Names("thumbnails", "Capture One", "CaptureOne/Cache"),
    Names("thumbnails", "Apple", "iPod?Photo?Cache"),
    Names("thumbnails", "ownCloud, Nextcloud", "appdata_oc*"),
    Names("recycle", "Windows", "$RECYCLE.BIN RECYCLER RECYCLED"),
    Names("recycle", "macOS", ".Trash .Trashes Network?Trash?Folder"),
    Names("recycle", "Linux", ".Trash-* .trash"),
    Names("recycle", "Synology, QNAP, Samba, Unraid, Buffalo", "#recycle @Recycle .recycle .Recycle.Bin trashbox"),
    Names("recycle", "ownCloud, Nextcloud, digiKam, phones", "files_trashbin .dtrash .globalTrash", ".trashed-*"),
    Names("snapshots", "Synology, QNAP", "#snapshot @sharesnap @Recently-Snapshot"),
    Names("snapshots", "ZFS, Btrfs, NetApp", ".zfs .snapshots .snapshot ~snapshot"),
    Names("snapshots", "Time Machine", "Backups.backupdb .MobileBackups"),
    Names("snapshots", "Syncthing, ownCloud, Nextcloud", ".stversions files_versions"),
    Names("system", "Synology, QNAP", "@tmp @SynoResource @database .@__qini .@upload_cache", "SYNOINDEX_*"),
    Names(
        "system",
        "Windows",
        "System?Volume?Information found.[0-9][0-9][0-9] $WinREAgent $Windows.~* Config.Msi",
        "desktop.ini",
    ),
    Names(
        "system",
        "macOS",
        ".Spotlight-V100 .fseventsd .DocumentRevisions-V100 .TemporaryItems Temporary?Items .AppleDouble .AppleDB "
        ".AppleDesktop __MACOSX *.sparsebundle",
        "._* .DS_Store",
    ),
    Names("system", "Linux", "lost+found", ".directory"),
    Names("system", "Android", "LOST.DIR"),
    Names("catalogues", "Picasa", ".picasaoriginals", "Picasa.ini .picasa.ini"),
    Names("catalogues", "gThumb", ".comments"),
    Names("sync", "Syncthing, Resilio", ".stfolder .sync .SyncTrash", "*.!sync *.bts ~syncthing~* .syncthing.*"),
    Names("sync", "Dropbox, Google Drive, Seafile", ".dropbox* .tmp.drive* .seafile-data", ".dropbox*"),
    Names("unfinished", "browsers", "*.download", "*.part *.partial *.crdownload *.download *.opdownload"),
    Names("unfinished", "download programs", "", "*.aria2 *.filepart *.!ut *.!qb *.bc!"),
    Names("unfinished", "editors and office programs", "", "*.tmp *.temp ~$* .~lock* *~ .*.sw?"),
    Names("unfinished", "Android", "", ".pending-*"),
    Names("unfinished", "rsync", ".~tmp~ .rsync-partial", ".*.*.??????"),
)
"""In this order; the first that fits gives the kind. Whatever else begins with a dot is `hidden`."""

ONLY_ORIGINALS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "*.photoslibrary": ("originals", "masters"),
        "*.photolibrary": ("originals", "masters"),
        "*.migratedphotolibrary": ("originals", "masters"),
        "*.aplibrary": ("masters",),
        "*.cocatalog": ("originals",),
    }
)
"""Libraries of photo programs, and the folders in them that hold the photographs; the rest is `catalogues`."""

MARKED_FOLDERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        ".nomedia": ("nomedia", "*"),
        ".ppstorage": ("catalogues", "*"),
        ".immich": ("thumbnails", "thumbs encoded-video profile backups"),
    }
)
"""A file that marks the folder in which it lies: the kind, and the names of folders of which that holds."""


class _Matcher:
    """Names → kind, by one look into a dictionary and one regular expression."""

    def __init__(self, patterns: list[tuple[str, str]]) -> None:
        self._exact = {name: kind for name, kind in patterns if not set("*?[") & set(name)}
        self._kinds = [kind for name, kind in patterns if name not in self._exact]
        globs = [f"({translate(name)})" for name, _ in patterns if name not in self._exact]
        self._globs = re.compile("|".join(globs), re.DOTALL)

    def kind(self, name: str) -> str | None:
        """The kind of this name, which is case folded already."""
        found = self._exact.get(name)
        if found is None and (match := self._globs.fullmatch(name)):
            found = self._kinds[(match.lastindex or 1) - 1]
        return found


def _patterns(which: str, *, with_parent: bool) -> list[tuple[str, str]]:
    found = [(name.casefold(), names.kind) for names in BUILT_IN for name in getattr(names, which).split()]
    return [pattern for pattern in found if ("/" in pattern[0]) == with_parent]


_FOLDERS = _Matcher(_patterns("folders", with_parent=False))
_FOLDERS_IN_PARENT = _Matcher(_patterns("folders", with_parent=True))
_FILES = _Matcher(_patterns("files", with_parent=False))
_LIBRARIES = _Matcher([(name, name) for name in ONLY_ORIGINALS])


def kind_of(parent: str, name: str, *, folder: bool) -> str | None:
    """The kind of a folder or file that is passed over by its name; None for what is looked at.

    Args:
        parent: the name of the folder in which it lies.
        name: its own.
        folder: whether it is a folder.
    """
    parent, key = parent.casefold(), name.casefold()
    library = _LIBRARIES.kind(parent)
    if library is not None and key not in ONLY_ORIGINALS[library]:
        return "catalogues"
    found = _FOLDERS.kind(key) or _FOLDERS_IN_PARENT.kind(f"{parent}/{key}") if folder else _FILES.kind(key)
    return found or ("hidden" if name.startswith(".") else None)


def kind_of_marked(name: str, marker: str) -> str | None:
    """The kind of a folder of this name that holds a file of the name `marker`; None where that means nothing."""
    kind, folders = MARKED_FOLDERS.get(marker, ("", ""))
    return kind if folders == "*" or name.casefold() in folders.split() else None

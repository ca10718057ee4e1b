"""Pictures over HTTP: previews, made when first asked for, and originals as downloads."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import logging
from collections.abc import Iterator
from io import BufferedReader
from tempfile import SpooledTemporaryFile
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response, StreamingResponse

from search.errors import LibraryError
from search.kept import kept_folder
from search.previews import GALLERY_PX, PAGE_PX, PreviewStore, media_type
from search.results import ImageDetail
from vision.archives.member import ArchiveLimits, MemberError
from vision.errors import ImageRefusedError
from vision.images import DecodeRequest
from vision.originals import Original
from web.conditional import IfNoneMatch, cached, not_modified, out_of_range, ranged, wanted_range
from web.deps import Engine, EngineDep, ImageId
from web.errors import OriginalGoneError
from web.once import Once
from web.templating import file_name

log = logging.getLogger(__name__)

_CHUNK_BYTES = 1 << 20
_REINDEX = "Run `deixis index` over its folder again."

ContentVersion = Annotated[str, Query(alias="v", max_length=64)]

router = APIRouter(include_in_schema=False)


class PreviewMaker:
    """Makes missing previews: each only once however many ask, and only as many at a time as there are decoders.

    Args:
        engine: knows where the previews lie, and decodes.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._store = PreviewStore(engine.settings.home)
        self._slots = asyncio.Semaphore(engine.settings.decoders)
        self._once: Once[bytes] = Once()

    async def get(self, detail: ImageDetail, size_px: int) -> bytes:
        """The preview's bytes.

        Raises:
            OriginalGoneError: it has to be made, and no file holds this picture any more.
            ImageRefusedError: it has to be made, and decoding it breaks a limit.
        """
        stored = await run_in_threadpool(self._store.read, detail.sha256, size_px)
        if stored is not None:
            return stored
        return await self._once.get((detail.sha256, size_px), lambda: self._make_in_turn(detail, size_px))

    async def close(self) -> None:
        """Wait for what is being made."""
        await self._once.close()

    async def _make_in_turn(self, detail: ImageDetail, size_px: int) -> bytes:
        async with self._slots:
            return await run_in_threadpool(_make_preview, self._engine, self._store, detail, size_px)


@router.get("/media/{image_id}/gallery")
async def gallery_preview(
    request: Request,
    engine: EngineDep,
    image_id: ImageId,
    if_none_match: IfNoneMatch = "",
    version: ContentVersion = "",
) -> Response:
    """A picture for galleries: JPEG, longest side 512 px."""
    detail = await run_in_threadpool(lambda: engine.service().image(image_id))
    return await _preview(request, detail, GALLERY_PX, if_none_match, version)


@router.get("/media/{image_id}/page")
async def page_preview(
    request: Request,
    engine: EngineDep,
    image_id: ImageId,
    if_none_match: IfNoneMatch = "",
    version: ContentVersion = "",
) -> Response:
    """A picture for its own page: JPEG, longest side 1600 px."""
    detail = await run_in_threadpool(lambda: engine.service().image(image_id))
    return await _preview(request, detail, PAGE_PX, if_none_match, version)


@router.get("/media/{image_id}/gallery.webp")
@router.get("/media/{image_id}/page.webp")
def earlier_address(request: Request, image_id: ImageId, version: ContentVersion = "") -> Response:
    """Where previews were while all of them were WebP."""
    name = request.url.path.rpartition("/")[2].removesuffix(".webp")
    return RedirectResponse(name + (f"?v={quote(version)}" if version else ""), status_code=308)


@router.get("/media/{image_id}/original")
def original(request: Request, engine: EngineDep, image_id: ImageId, if_none_match: IfNoneMatch = "") -> Response:
    """The file itself, only ever as a download; checked against its hash first, so nothing else can slip out."""
    detail = engine.service().image(image_id)
    headers = cached(f'"{detail.sha256}"', lasting=False)
    known = not_modified(if_none_match, headers)
    if known is not None:
        return known
    for one in _originals(engine, detail):
        opened = _open_verified(one, detail.sha256, engine.settings.archive_limits)
        if opened is not None:
            headers["Content-Disposition"] = _attachment(file_name(one.path))
            return _sent(request, opened, detail.size_bytes, headers)
    raise OriginalGoneError(f"no file holds picture {image_id} any more", remedy=_REINDEX)


async def _preview(request: Request, detail: ImageDetail, size_px: int, if_none_match: str, version: str) -> Response:
    etag = f'"{detail.sha256}-{size_px}"'
    # An id may come to mean another picture after a library is rebuilt from nothing; a hash never does.
    headers = cached(etag, lasting=version != "" and detail.sha256.startswith(version))
    known = not_modified(if_none_match, headers)
    if known is not None:
        return known
    previews: PreviewMaker = request.app.state.previews
    preview = await previews.get(detail, size_px)
    return ranged(request, preview, media_type(preview), headers)


def _make_preview(engine: Engine, store: PreviewStore, detail: ImageDetail, size_px: int) -> bytes:
    stored = store.read(detail.sha256, size_px)
    if stored is not None:  # made while this one waited for its turn
        return stored
    refusal: ImageRefusedError | None = None
    for one in _originals(engine, detail):
        if not one.is_there():
            continue
        try:
            decoded = engine.decode(DecodeRequest.of(one, preview_px=size_px))
        except ImageRefusedError as error:
            refusal = error
            continue
        if decoded.sha256 == detail.sha256 and decoded.preview is not None:
            _keep(store, detail.sha256, size_px, decoded.preview)
            return decoded.preview
    if refusal is not None:
        raise refusal
    raise OriginalGoneError(f"no file holds picture {detail.image_id} any more", remedy=_REINDEX)


def _keep(store: PreviewStore, sha256: str, size_px: int, preview: bytes) -> None:
    """Store a preview; on a full or read-only disk it is shown all the same, and made again next time."""
    try:
        store.put(sha256, size_px, preview)
    except (OSError, LibraryError) as error:
        reason = error.args[0] if isinstance(error, LibraryError) else error
        _say_once(f"previews cannot be kept, so they are made at every look: {reason}")


@functools.lru_cache(maxsize=8)
def _say_once(text: str) -> None:
    log.warning(text)


def _originals(engine: Engine, detail: ImageDetail) -> list[Original]:
    kept_in = kept_folder(engine.settings.home)
    return [Original.of(file.path, file.held, kept_in) for file in detail.files]


def _open_verified(
    original: Original, sha256: str, limits: ArchiveLimits
) -> BufferedReader | SpooledTemporaryFile[bytes] | None:
    """Open a picture and hand it out only if it still is what was indexed; the same bytes are then sent."""
    try:
        file = original.open(limits)
    except (OSError, MemberError):
        return None
    try:
        same = hashlib.file_digest(file, "sha256").hexdigest() == sha256
        file.seek(0)
    except OSError:  # a failing disk; another file may hold the same picture
        same = False
    if same:
        return file
    file.close()
    return None


def _sent(
    request: Request, file: BufferedReader | SpooledTemporaryFile[bytes], size: int, headers: dict[str, str]
) -> Response:
    """A file, whole or the range that is asked for."""
    try:
        wanted = wanted_range(request, size, headers["ETag"])
    except IndexError:
        file.close()
        return out_of_range(request, size)
    first, last = wanted or (0, size - 1)
    sent = {**headers, "Accept-Ranges": "bytes", "Content-Length": str(last + 1 - first)}
    if wanted is not None:
        sent["Content-Range"] = f"bytes {first}-{last}/{size}"
    return StreamingResponse(
        _chunks(file, first, last + 1 - first), 200 if wanted is None else 206, sent, "application/octet-stream"
    )


def _chunks(file: BufferedReader | SpooledTemporaryFile[bytes], first: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(first)
        while length and (chunk := file.read(min(_CHUNK_BYTES, length))):
            length -= len(chunk)
            yield chunk


def _attachment(name: str) -> str:
    """`Content-Disposition` for any file name (RFC 6266): an ASCII form for old clients, the true one in UTF-8."""
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._- ") else "_" for char in name)
    return f"attachment; filename=\"{plain or 'picture'}\"; filename*=UTF-8''{quote(name, safe='')}"

"""The pages for people: start, results, uploads, one picture. They need no script; with one they are handier."""

from __future__ import annotations

from fastapi import APIRouter

from web.pages import alike, picture, results, start, suggest, upload

router = APIRouter(include_in_schema=False)
for _page in (start, results, upload, picture, alike, suggest):
    router.include_router(_page.router)

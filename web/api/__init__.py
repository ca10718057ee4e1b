"""The JSON API, one file a group of routes."""

from __future__ import annotations

from fastapi import APIRouter

from web import running
from web.api import docs, images, jobs, library, looks, models, searches, told

__all__ = ["router"]

router = APIRouter()
for group in (searches, images, looks, told, library, models, jobs, running, docs):
    router.include_router(group.router)

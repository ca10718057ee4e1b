"""The JSON API, one file a group of routes."""

from __future__ import annotations

from fastapi import APIRouter

from web.api import docs, images, jobs, library, looks, models, searches, service, told
from web.api.service import check_ready

__all__ = ["check_ready", "router"]

router = APIRouter()
for group in (searches, images, looks, told, library, models, jobs, service, docs):
    router.include_router(group.router)

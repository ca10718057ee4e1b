"""Work asked for by many at once: begun once, its result or its failure for everybody, nothing kept."""

from __future__ import annotations

import asyncio

import pytest

from vision.wanted import current_work
from web.once import Once


def test_many_who_ask_at_once_share_one_piece_of_work() -> None:
    begun: list[str] = []

    async def scenario() -> list[str]:
        once: Once[str] = Once()
        go = asyncio.Event()

        async def work() -> str:
            begun.append("work")
            await go.wait()
            return "done"

        readers = [asyncio.create_task(once.get("key", work)) for _ in range(5)]
        await asyncio.sleep(0)
        readers[0].cancel()
        go.set()
        rest = await asyncio.gather(*readers[1:])
        await once.get("key", work)  # afterwards it is begun anew
        await once.close()
        return rest

    assert asyncio.run(scenario()) == ["done"] * 4
    assert begun == ["work"] * 2


def test_a_failure_reaches_everybody_and_is_not_kept() -> None:
    async def scenario() -> str:
        once: Once[str] = Once()

        async def fail() -> str:
            raise ValueError("no")

        async def succeed() -> str:
            return "yes"

        failed = await asyncio.gather(once.get(1, fail), once.get(1, fail), return_exceptions=True)
        assert [str(error) for error in failed] == ["no", "no"]
        with pytest.raises(ValueError, match="no"):
            await once.get(1, fail)
        return await once.get(1, succeed)

    assert asyncio.run(scenario()) == "yes"


def test_work_that_all_have_left_is_told_so_and_begun_anew_for_the_next() -> None:
    async def scenario() -> tuple[list[bool], str]:
        once: Once[str] = Once()
        told: list[bool] = []
        go = asyncio.Event()

        async def work() -> str:
            doing = current_work()
            assert doing is not None
            try:
                await go.wait()
            finally:
                told.append(doing.abandoned)
            return "done"

        first, second = (asyncio.create_task(once.get("key", work)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0.01)
        assert told == [], "one still waits"
        second.cancel()
        await asyncio.sleep(0.01)
        third = asyncio.create_task(once.get("key", work))
        await asyncio.sleep(0.01)
        go.set()
        found = await third
        await once.close()
        return told, found

    assert asyncio.run(scenario()) == ([True, False], "done")

"""Work asked for by many at once: begun once, its result or its failure for everybody, nothing kept."""

from __future__ import annotations

import asyncio

import pytest

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

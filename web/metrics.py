"""Figures of the service as Prometheus reads them: lanes, latencies, library, jobs, models; of all its processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool

from web.admission.costs import Cost
from web.admission.gate import Gate
from web.admission.lanes import BUCKETS_S
from web.figures import Figures, Shared, added, figures_of
from web.ready import ReadyKeeper

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
JOBS_FRESH_S = 5.0
"""For so long the numbers of jobs are told without asking the database again."""

LEAVE_S = 1.0
"""How often a process tells the others what it has counted."""

JobStates = Callable[[], Mapping[str, int]]


class Metrics:
    """Tells the figures of a server.

    Args:
        gate: what was admitted and refused.
        ready: what is known of the library without asking.
        shared: where other processes leave theirs.
        job_states: counts the jobs of the library; runs in a thread.
    """

    def __init__(self, gate: Gate, ready: ReadyKeeper, shared: Shared, job_states: JobStates) -> None:
        self._gate = gate
        self._ready = ready
        self._shared = shared
        self._job_states = job_states
        self._jobs: Mapping[str, int] = {}
        self._jobs_at = float("-inf")

    async def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        now = asyncio.get_running_loop().time()
        if now - self._jobs_at > JOBS_FRESH_S:
            self._jobs_at = now
            self._jobs = await run_in_threadpool(self._job_states)
        figures = added([self._own(), *await run_in_threadpool(self._shared.others)])
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Told(figures, self._published(), self._jobs))
        return generate_latest(registry)

    async def leave(self) -> None:
        """Tell the other processes what this one has counted, again and again, until cancelled."""
        while self._shared.is_needed:
            await run_in_threadpool(self._shared.leave, self._own())
            await asyncio.sleep(LEAVE_S)

    def _own(self) -> Figures:
        return figures_of(self._gate, model_loaded=self._ready.found is not None)

    def _published(self) -> Mapping[str, int]:
        found = self._ready.found
        return {} if found is None else {"images_searched": found.images, **found.published}


class _Told(Collector):
    """One answer to Prometheus."""

    def __init__(self, figures: Figures, published: Mapping[str, int], jobs: Mapping[str, int]) -> None:
        self._figures = figures
        self._published = published
        self._jobs = jobs

    def collect(self) -> Iterator[Metric]:
        """Every family of figures."""
        yield from self._lanes()
        answered = CounterMetricFamily("deixis_answers", "Answers, by cost and HTTP status.", labels=("cost", "status"))
        for key, count in self._figures["answered"].items():
            answered.add_metric(key.split(" "), count)
        yield answered
        yield GaugeMetricFamily("deixis_upload_bytes", "Bytes of uploads that are held.", self._figures["body_bytes"])
        yield GaugeMetricFamily("deixis_workers", "Processes that answer.", self._figures["workers"])
        yield GaugeMetricFamily("deixis_models_loaded", "Processes with a model loaded.", self._figures["models"])
        sizes = GaugeMetricFamily("deixis_library_vectors", "Vectors that are searched, by kind.", labels=("kind",))
        for kind, count in self._published.items():
            sizes.add_metric((kind,), count)
        yield sizes
        jobs = GaugeMetricFamily("deixis_jobs", "Jobs in the queue's memory, by state.", labels=("state",))
        for state, count in self._jobs.items():
            jobs.add_metric((state,), count)
        yield jobs

    def _lanes(self) -> Iterator[Metric]:
        running = GaugeMetricFamily("deixis_lane_running", "Requests that have their turn.", labels=("cost",))
        waiting = GaugeMetricFamily("deixis_lane_waiting", "Requests that wait for it.", labels=("cost",))
        refused = CounterMetricFamily(
            "deixis_lane_refused", "Requests without an answer, by reason.", labels=("cost", "reason")
        )
        latency = HistogramMetricFamily(
            "deixis_request_seconds", "From arrival to the end of the answer.", labels=("cost",)
        )
        for cost, lane in self._figures["lanes"].items():
            running.add_metric((cost,), lane["running"])
            waiting.add_metric((cost,), lane["waiting"])
            for reason, count in lane["refused"].items():
                refused.add_metric((cost, reason), count)
            latency.add_metric((cost,), *_histogram(lane["latencies"]))
        latency.add_metric((Cost.STATIC.value,), *_histogram(self._figures["free"]))
        return iter((running, waiting, refused, latency))


def _histogram(latencies: Figures) -> tuple[list[tuple[str, float]], float]:
    bounds = [*(str(bound) for bound in BUCKETS_S), "+Inf"]
    return list(zip(bounds, accumulate(latencies["counts"]), strict=True)), latencies["sum_s"]

"""Other whole runners, each set up for speed, on the same machine with two worker processes."""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
import time
from typing import Any

from tests.benchmarks import work
from tests.benchmarks.child import Figures, peer
from tests.benchmarks.pools import WORKERS, rate


def through_huey(n: int) -> Figures:
    """Run tasks that were enqueued before, which is not counted; each worker reports by huey's own signals.

    Timed is from the first one's start to the last one's end.
    """
    huey, signals = peer("huey"), peer("huey.signals")
    started, ended = multiprocessing.Value("d", 0.0), multiprocessing.Value("i", 0)
    with tempfile.TemporaryDirectory(prefix="ujr-bench-") as folder:
        app = huey.SqliteHuey(filename=f"{folder}/huey.db", fsync=False)

        def begins(*_: object) -> None:
            if not started.value:
                started.value = time.perf_counter()

        def ends(*_: object) -> None:
            with ended.get_lock():
                ended.value += 1

        app.signal(signals.SIGNAL_EXECUTING)(begins)
        app.signal(signals.SIGNAL_COMPLETE)(ends)
        task = app.task()(work.nothing)
        for number in range(n):
            task(number)
        consumer = app.create_consumer(
            workers=WORKERS, worker_type="process", periodic=False, check_worker_health=False
        )
        consumer.start()
        while ended.value < n:
            time.sleep(0.001)
        per_second = n / (time.perf_counter() - started.value)
        consumer.stop(graceful=False)
    return {"per_second": per_second}  # its workers do everything themselves: there is no runner's own time


def through_apscheduler(n: int) -> Figures:
    """Run jobs that are due at once, in a ProcessPoolExecutor; two listeners count.

    Timed is from the first one's submission to the report of the last one's end; the jobs were added before, which is
    not counted.
    """
    executors, background, events = (
        peer("apscheduler.executors.pool"), peer("apscheduler.schedulers.background"), peer("apscheduler.events")
    )  # fmt: skip
    scheduler = background.BackgroundScheduler(
        executors={"default": executors.ProcessPoolExecutor(WORKERS)},
        job_defaults={"misfire_grace_time": None, "coalesce": False},
    )
    listeners = [Listener(n), Listener(n)]
    for listener in listeners:
        scheduler.add_listener(listener.begins, events.EVENT_JOB_SUBMITTED)
        scheduler.add_listener(listener.ends, events.EVENT_JOB_EXECUTED)
    scheduler.start(paused=True)
    for number in range(n):
        scheduler.add_job(work.nothing, args=(number,))
    cpu = time.process_time()
    scheduler.resume()
    for listener in listeners:
        listener.over.wait()
    first = min(listener.first for listener in listeners)
    figures = rate(n, time.perf_counter() - first, time.process_time() - cpu)
    scheduler.shutdown()
    return figures


class Listener:
    """Counts what APScheduler says."""

    def __init__(self, n: int) -> None:
        self.n, self.ended, self.first = n, 0, 0.0
        self.over = threading.Event()

    def begins(self, event: Any) -> None:
        """Note the first."""
        self.first = self.first or time.perf_counter()

    def ends(self, event: Any) -> None:
        """Count."""
        self.ended += 1
        if self.ended == self.n:
            self.over.set()


def through_dask(n: int) -> Figures:
    """Run tasks in a local cluster of two processes of one thread, all submitted in one call.

    Timed is from that call to the last result.
    """
    distributed = peer("distributed")
    with (
        distributed.LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.gather(client.map(work.nothing, range(100), pure=False))
        start, cpu = time.perf_counter(), time.process_time()
        client.gather(client.map(work.nothing, range(n), pure=False))
        return rate(n, time.perf_counter() - start, time.process_time() - cpu)

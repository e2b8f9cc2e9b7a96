"""Cases compared by the workers of a Dask cluster that somebody else runs.

Each worker has one case at a time, so that one that ends tells which case it had: Dask by itself starts a task anew on
other workers, as often as its scheduler is configured to, and blames every task that waited there.
"""

import asyncio
import logging
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any, Self

import dask
from distributed import Client, KilledWorker
from distributed.comm import connect

from gradcheck.configuration import NotFound
from gradcheck.running.confinement import can_limit_memory
from gradcheck.running.examiner import Setting, Task, examine
from gradcheck.running.executors import Unusable
from gradcheck.running.stream import Lost
from gradcheck.subjects.find import Located
from gradcheck.verdict.record import Result

PATIENCE = 5
"""Seconds that the scheduler may take to be reached."""
FETCHED = 60
"""Seconds that a result may take from the worker that has it."""
INTERVAL = 1.0
"""Seconds after which it is asked again which workers there are."""
WITHOUT_WORKERS = 60.0
"""Seconds after which a cluster without workers is given up: those that end are commonly started again."""
NEEDED = ("gradcheck", "tensorflow")
"""What workers must have installed."""
CONFIGURED = {
    "distributed.comm.timeouts.connect": f"{PATIENCE}s",
    "distributed.admin.large-graph-warning-threshold": "1TiB",  # a case is as large as its arrays are
}


@contextmanager
def cluster(address: str, setting: Setting) -> Iterator["Cluster"]:
    """The cluster whose scheduler listens at `address`, `HOST:PORT`. Raises `Unusable`."""
    with _silence(), _client(address) as client, Cluster(client, _workers(client, setting), setting) as made:
        yield made


@dataclass(eq=False)
class _Asked:
    """A case, and where its result will be; `answered` is Dask's future, once a worker has the case."""

    task: Task
    result: "Future[Result]" = field(default_factory=Future)
    answered: Any = None
    since: float = 0.0


class Cluster:
    """Hands cases to `workers`, given by address, and to those that join them; one at a time to each."""

    def __init__(self, client: Client, workers: Sequence[str], setting: Setting) -> None:
        self._client = client
        self._scheduler = client.scheduler.address
        self._setting = setting
        self._version = version("gradcheck")
        self._lock = threading.Lock()
        self._waiting: deque[_Asked] = deque()
        self._busy: dict[str, _Asked] = {}
        self._workers = frozenset(workers)
        self._given_up = ""  # why nothing is compared any more
        self._closing = threading.Event()
        self._watching = threading.Thread(target=self._watch, name="gradcheck-cluster", daemon=True)

    def __enter__(self) -> Self:
        self._watching.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._give_up("the run is over")
        self._watching.join(PATIENCE)

    def submit(self, task: Task) -> "Future[Result]":
        """The result of a case, later; its `result` raises `Lost` if its worker ended or the scheduler is gone."""
        asked = _Asked(task)
        with self._lock:
            if self._given_up:
                asked.result.set_exception(Lost(self._given_up))
            else:
                self._waiting.append(asked)
                self._hand_out()
        return asked.result

    def _hand_out(self) -> None:
        """Give a case to each worker that has none; under the lock."""
        for worker in self._workers - self._busy.keys():
            if not self._waiting or not self._connected:
                return
            asked = self._busy[worker] = self._waiting.popleft()
            asked.since = time.monotonic()
            arguments = (self._version, self._setting, asked.task)
            asked.answered = self._client.submit(_compared, *arguments, workers=[worker], pure=False, retries=0)
            asked.answered.add_done_callback(partial(self._answered, worker, asked))

    @property
    def _connected(self) -> bool:
        return bool(self._client.status == "running")

    def _answered(self, worker: str, asked: _Asked, answered: Any) -> None:
        """Take a result, or notice that none will come; in a thread of Dask's."""
        settle: Callable[[], None]
        ended = False
        try:
            settle = partial(asked.result.set_result, answered.result(timeout=FETCHED))
        except Exception as error:
            ended = answered.status != "error" or isinstance(error, KilledWorker)
            told = Lost(self._cause(worker, time.monotonic() - asked.since)) if ended else error
            settle = partial(asked.result.set_exception, told)
        with self._lock:
            if self._given_up:
                return
            del self._busy[worker]
            asked.answered = None  # so that the cluster forgets it
            if ended:
                self._workers -= {worker}  # until it is seen again
        settle()
        if not self._connected:
            self._give_up(self._without_scheduler)
        with self._lock:
            self._hand_out()

    @property
    def _without_scheduler(self) -> str:
        return f"the scheduler {self._scheduler} is lost"

    def _cause(self, worker: str, seconds: float) -> str:
        """Why a case has no result that a worker was given so many seconds ago."""
        if not self._connected:
            return self._without_scheduler
        late = seconds >= self._setting.timeout
        perhaps = f" after {seconds:.0f} s: the case may have taken more than its {self._setting.timeout:g} s"
        return f"its worker {worker} ended{perhaps if late else ''}"

    def _watch(self) -> None:
        """Look for workers that are gone and for new ones, until the end."""
        seen = time.monotonic()
        while not self._closing.wait(INTERVAL):
            try:
                there = frozenset(self._client.nthreads())
            except Exception:  # whatever it is, the next attempt would fare no better
                self._give_up(self._without_scheduler)
                return
            if there:
                seen = time.monotonic()
            elif time.monotonic() - seen > WITHOUT_WORKERS:
                self._give_up(f"the cluster of {self._scheduler} has had no workers for {WITHOUT_WORKERS:g} s")
                return
            with self._lock:
                ended = [asked.answered for worker, asked in self._busy.items() if worker not in there]
                self._workers = there
                self._hand_out()
            self._cancel(ended)  # they would wait for their worker for ever

    def _give_up(self, why: str) -> None:
        """Compare nothing any more."""
        with self._lock:
            if self._given_up:
                return
            self._given_up = why
            left = [*self._busy.values(), *self._waiting]
            self._busy.clear()
            self._waiting.clear()
        for asked in left:
            asked.result.set_exception(Lost(why))
        self._cancel([asked.answered for asked in left if asked.answered is not None])

    def _cancel(self, answered: Sequence[Any]) -> None:
        if answered and self._connected:
            with suppress(OSError, TimeoutError, CancelledError):
                self._client.cancel(answered)


@contextmanager
def _silence() -> Iterator[None]:
    """Within this, nobody hears what Dask tells about its connections."""
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@contextmanager
def _client(address: str) -> Iterator[Client]:
    dask.config.set(CONFIGURED)
    url = f"tcp://{address}"
    try:
        asyncio.run(asyncio.wait_for(_reach(url), PATIENCE))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # another version of Dask need not matter
            client = Client(url, timeout=PATIENCE, set_as_default=False)
    except Exception as error:  # what answers may be anything
        raise Unusable(f"no Dask scheduler was reached at {address} within {PATIENCE} s") from error
    for topic in ("print", "warn"):  # what workers say would be printed here
        client.unsubscribe_topic(topic)
    try:
        yield client
    finally:
        with suppress(OSError, TimeoutError, CancelledError):  # a scheduler that is gone need not be told
            client.close(timeout=PATIENCE)


async def _reach(url: str) -> None:
    """See whether a scheduler answers: a client would wait for ever for one that does not."""
    connection = await connect(url, timeout=PATIENCE)
    await connection.close()


def _workers(client: Client, setting: Setting) -> list[str]:
    """The workers there are, each of which can do what is wanted. Raises `Unusable`."""
    for name in NEEDED:
        for worker, found in client.run(version, name, on_error="return").items():
            if isinstance(found, PackageNotFoundError):
                raise Unusable(f"the worker {worker} has no {name}: install it there")
            if isinstance(found, Exception):
                raise Unusable(f"the worker {worker} has not answered: {found}")
            if name == "gradcheck" and found != (here := version(name)):
                raise Unusable(f"the worker {worker} has gradcheck {found}, and here is {here}: install the same")
    workers: dict[str, str | Exception] = client.run(_hindrance, setting, on_error="return")
    for worker, hindrance in workers.items():
        if hindrance:
            raise Unusable(f"the worker {worker} cannot compare: {hindrance}")
    if not workers:
        raise Unusable("the cluster has no workers")
    return list(workers)


def _hindrance(setting: Setting) -> str:
    """What keeps this process, a worker, from comparing cases; empty if nothing does."""
    if setting.memory is not None and not can_limit_memory():
        return "its system does not let a process bound its memory"
    try:
        if setting.engine:
            Located(setting.engine, setting.folder)()
    except NotFound as error:
        return str(error)
    return ""


def _compared(expected: str, setting: Setting, task: Task) -> Result:
    """The result of a case, in a worker. Raises `Lost` if that joined the others later and is not as they are."""
    if (found := version("gradcheck")) != expected:
        raise Lost(f"a worker has gradcheck {found}, and not {expected}")
    try:
        return examine(setting, task)
    except NotFound as error:
        raise Lost(f"a worker cannot compare: {error}") from None

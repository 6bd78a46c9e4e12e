"""``vistter run``: wires sources, store, controller, socket and HTTP together, and ends them in order.

The controller is the last to begin and the last to end: what can refuse to start (a port that is taken, a
state folder in use) does so before anything goes on air, and whoever asked for the end over the socket
learns of it by the socket's end.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import anyio
from anyio.abc import TaskGroup
from rich.text import Text

import vistterstream
from vistterstream.api import local
from vistterstream.api.address import SOCKET
from vistterstream.api.answers import Answers
from vistterstream.api.client import Client
from vistterstream.api.forms import public
from vistterstream.base import logs
from vistterstream.base.errors import VistterError
from vistterstream.base.files import lexical
from vistterstream.base.metrics import Metrics
from vistterstream.base.redaction import redact
from vistterstream.cli import outlet, signals
from vistterstream.cli.console import STYLES, console, say, visible
from vistterstream.cli.news import News, Sentence
from vistterstream.ffmpeg import binary
from vistterstream.playout.client import alive
from vistterstream.reconcile.controller import Controller, OnExit
from vistterstream.reconcile.lock import Taken, state_lock
from vistterstream.reconcile.paths import Paths, absolute
from vistterstream.resources.kinds import SOURCE_FILE, Key, Output
from vistterstream.sources.folders import FolderSource
from vistterstream.store.store import Store
from vistterstream.store.watching import Change, ChangeType

log = logs.get("cli")

END_DEADLINE = 9.5
"""Seconds after the first signal at which the process ends whatever happens; people are promised ten."""
SAME_WISH = 1.0
"""Seconds in which a second signal is the first one, sent to the group as well (``timeout make demo``)."""
_LOCK_PATIENCE = 6.0  # seconds; another command may be reading the store
_PROBLEMS_INTERVAL = 0.5
_OLD_NEWS = 3.0  # seconds in which a controller that starts finds out what is not so any more


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said; None where it said nothing."""

    manifests: list[Path] | None
    state_dir: Path
    listen: str | None
    on_exit: str | None
    log_level: str | None


def run(options: Options) -> int:
    """Run until a signal or ``vistter stop``. The exit status. Raises VistterError, OSError."""
    outlet.install()
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    level = options.log_level or ("warning" if sys.stderr.isatty() else "info")
    logs.configure(level=level, stream=sys.stderr)
    addresses = _addresses(options.listen)
    binary.check()  # says what is missing before anything begins
    on_exit = OnExit(options.on_exit or ("stop" if terminal else "leave"))
    _make(options.state_dir)
    with _lock(options.state_dir):
        store = Store(options.state_dir / "store.sqlite3")
        try:
            on_air = bool(alive(options.state_dir))
            folders = manifest_folders(options.manifests, held_files(store) if on_air else ())
            runner = Runner(options.state_dir, store, folders, on_exit, on_air=on_air)
            anyio.run(runner.run, addresses)
        except BaseExceptionGroup as group:
            raise _cause(group) from group
        finally:
            store.close()
    return 0


def manifest_folders(given: list[Path] | None, on_air: Iterable[Path] = ()) -> list[Path]:
    """The folders that were given; without any ./manifests, or the default state of a fresh appliance.

    `on_air` are the manifests of what is on air. Where they are in other folders than that, a forgotten
    option must not replace it: there is no folder then.
    """
    if given:
        return [lexical(path.expanduser()) for path in given]
    here = Path("manifests")
    default = here.absolute() if here.is_dir() else packaged_manifests()
    return [default] if all(default in file.parents for file in on_air) else []


def held_files(store: Store) -> set[Path]:
    """The manifests that the objects of the store came from."""
    annotations = [resource.metadata.annotations for resource in store.list()[0]]
    return {Path(found[SOURCE_FILE]) for found in annotations if SOURCE_FILE in found}


def packaged_manifests() -> Path:
    """The manifests of a fresh appliance: of the checkout that runs, or those that were installed."""
    checkout = Path(vistterstream.__file__).parents[2]
    if (checkout / "pyproject.toml").is_file():
        return checkout / "manifests"
    for file in metadata.files("vistterstream") or ():
        if file.match("share/vistterstream/manifests/*.yaml"):
            return Path(str(file.locate())).resolve().parent
    raise VistterError("the installation lacks its default manifests; name a folder with --manifests")


def _addresses(listen: str | None) -> list[tuple[str, int]]:
    """Where to serve, in order of preference. Raises VistterError."""
    if listen is None:
        return []
    from vistterstream.api import http  # aiohttp takes half a second that those who adopt do not have

    return http.listen_addresses(listen)


@contextmanager
def _lock(state_dir: Path) -> Iterator[None]:
    """The state folder's lock, also when it is free only in a moment. Raises Taken."""
    deadline = time.monotonic() + _LOCK_PATIENCE
    told = False
    while True:
        try:
            with state_lock(state_dir):
                yield
                return
        except Taken as taken:
            if time.monotonic() > deadline or _stays(state_dir):
                raise
            if not told:
                told = True
                who = f"process {taken.pid}" if taken.pid is not None else "another process"
                _talk(f"{state_dir} is in use by {who}; waiting for its end.", style="yellow")
            time.sleep(0.1)


def _make(state_dir: Path) -> None:
    """The state folder, where it is missing. Raises VistterError."""
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise VistterError(
            f"the state folder {state_dir} cannot be made ({error.strerror}); "
            "name one that can be written with --state-dir DIR"
        ) from error


def _stays(state_dir: Path) -> bool:
    """Whether a controller answers there that is not about to end."""
    try:
        with Client(state_dir, timeout=1.0) as client:
            return "ending" not in client.ask("version")["version"]
    except VistterError:
        return False


def _cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that a group of one stands for; the group where there is more to it."""
    if len(group.exceptions) != 1:
        told = group.subgroup((VistterError, OSError))
        return group if told is None else _first(told)
    inner = group.exceptions[0]
    return _cause(inner) if isinstance(inner, BaseExceptionGroup) else inner


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


class Runner:
    """One run of the controller with everything around it."""

    def __init__(
        self, state_dir: Path, store: Store, manifests: list[Path], on_exit: OnExit, *, on_air: bool
    ) -> None:
        """`on_air`: something was when this one started, and stays so even where `manifests` lack it."""
        self._state_dir = state_dir
        self._store = store
        self._manifests = manifests
        self._on_exit = on_exit
        self._metrics = Metrics()
        self._ending_since: float | None = None
        self._end_lock = threading.Lock()
        self._stopping = on_exit is OnExit.STOP
        self._source = FolderSource(
            manifests, store, on_file_changed=self._look_at_images, keep_unnamed=on_air
        )
        self._controller: Controller | None = None
        self._news = News(self._recordings)
        self._old = {
            resource.key: resource.status for resource in store.list()[0] if resource.status.conditions
        }
        self._answers = Answers(
            store,
            state_dir,
            about={
                "version": vistterstream.__version__,
                "pid": os.getpid(),
                "stateDir": str(state_dir),
                "manifests": [str(path) for path in manifests],
            },
            problems=self._problems,
            warnings=self._warnings,
            not_ready=self._not_ready,
        )

    async def run(self, addresses: list[tuple[str, int]]) -> None:
        """Run until a signal, or until a client asks for the end."""
        controller = self._controller = Controller(
            self._state_dir, self._store, metrics=self._metrics, on_exit=self._on_exit
        )
        async with anyio.create_task_group() as around:
            async with anyio.create_task_group() as inner:
                around.start_soon(self._end_on_signal, inner.cancel_scope)
                if addresses:
                    self._answers.about["preview"] = await self._listen(around, addresses)
                stop = partial(self._stop, controller)
                await around.start(local.serve, self._state_dir, self._answers, stop)
                self._greet()
                await inner.start(controller.run)
                around.start_soon(self._announce)
                around.start_soon(self._read_manifests, controller)
            around.cancel_scope.cancel()
        self._farewell()

    async def _listen(self, around: TaskGroup, addresses: list[tuple[str, int]]) -> str:
        """Serve at the first of `addresses` that is free. Raises VistterError."""
        from vistterstream.api import http  # see _addresses

        site = http.Site(self._answers, self._state_dir, self._metrics.render)
        for host, port in addresses[:-1]:
            try:
                return str(await around.start(http.serve, site, host, port))
            except http.AddressInUse:
                _talk(f"Port {port} is taken by another program; trying the next.", style="yellow")
        return str(await around.start(http.serve, site, *addresses[-1]))

    async def _read_manifests(self, controller: Controller) -> None:
        async with anyio.create_task_group() as tasks:
            await tasks.start(self._source.run)
            controller.sources_settled()

    def _look_at_images(self, _path: Path) -> None:
        if self._controller is not None:
            self._controller.images_changed()

    # The end

    async def _end_on_signal(self, scope: anyio.CancelScope) -> None:
        with signals.heard(self._hear_signal) as told:
            await signals.one(told)
            scope.cancel()
            await anyio.sleep_forever()

    def _hear_signal(self) -> None:
        """In a thread: the loop may be busy, or stuck."""
        if not self._begin_end() and time.monotonic() - (self._ending_since or 0.0) > SAME_WISH:
            self._give_up("Ended at once, as you ask.")

    def _stop(self, controller: Controller) -> None:
        """A client asks that everything goes off air."""
        self._stopping = True
        self._begin_end()
        controller.stop_all()

    def _begin_end(self) -> bool:
        """From now on the watchdog runs. False where it does already."""
        with self._end_lock:
            if self._ending_since is not None:
                return False
            self._ending_since = time.monotonic()
        watchdog = threading.Timer(END_DEADLINE, self._give_up, [f"Not all ended within {END_DEADLINE} s."])
        watchdog.daemon = True
        watchdog.start()
        self._answers.about["ending"] = True
        if self._stopping:
            _talk("Ending: everything goes off air. Ctrl-C again ends at once.")
        else:
            _talk("Ending; what is on air stays on air.")
        return True

    def _give_up(self, sentence: str) -> NoReturn:
        """End this process, whatever still runs in it."""
        with suppress(OSError):
            (self._state_dir / SOCKET).unlink()
        _talk(f"{sentence} What is left is ended by: vistter stop --state-dir {self._state_dir}", style="red")
        outlet.settle()
        os._exit(1)

    def _farewell(self) -> None:
        took = time.monotonic() - (self._ending_since or time.monotonic())
        if self._stopping:
            recordings = self._state_dir / "recordings"
            kept = f" Recordings are in {recordings}." if recordings.is_dir() else ""
            _talk(f"Everything is off air after {took:.1f} s.{kept}")
        else:
            again = f"vistter run takes over again, vistter stop --state-dir {self._state_dir} ends it."
            _talk(f"The controller has ended after {took:.1f} s. What was on air goes on: {again}")

    # What people see

    def _greet(self) -> None:
        about = self._answers.about
        none = "none; --listen 127.0.0.1:8642 serves a page that plays the picture"
        _talk(f"VistterStream {about['version']}", style="bold")
        _talk(f"  manifests  {', '.join(about['manifests']) or 'none were named; what is on air stays'}")
        _talk(f"  state      {about['stateDir']}")
        _talk(f"  preview    {about.get('preview', none)}", style="bold cyan" if "preview" in about else "")
        end = "ends everything" if self._stopping else "ends the controller and leaves everything on air"
        _talk(f"  Ctrl-C     {end}")
        for path in self._manifests:
            if not path.exists():
                _talk(f"There is no {path}; what it holds is taken when it is there.", style="yellow")

    async def _announce(self) -> None:
        """Tell what changes. What was known from the last run is told once it is known to hold still."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._announce_problems)
            tasks.start_soon(self._announce_what_holds)
            async for change in self._store.watch(0):
                if self._ending_since is None:
                    _tell(self._news_of(change))

    def _news_of(self, change: Change) -> Iterator[Sentence]:
        resource = change.resource
        if change.type is ChangeType.DELETED:
            self._old.pop(resource.key, None)
            yield from self._news.of_removed(public(resource))
        elif self._old.get(resource.key) != resource.status:
            self._old.pop(resource.key, None)
            yield from self._news.of_object(public(resource), time.monotonic())

    async def _announce_what_holds(self) -> None:
        await anyio.sleep(_OLD_NEWS)
        keys, self._old = list(self._old), {}
        for key in keys:
            resource = self._store.get(key)
            if resource is not None and self._ending_since is None:
                _tell(self._news.of_object(public(resource), time.monotonic()))

    async def _announce_problems(self) -> None:
        while True:
            _tell(self._news.of_warnings(self._warnings()))
            _tell(self._news.of_problems(self._problems()))
            await anyio.sleep(_PROBLEMS_INTERVAL)

    # What others ask

    def _problems(self) -> list[str]:
        return [problem for found in self._source.problems().values() for problem in found]

    def _warnings(self) -> list[str]:
        """What keeps the controller from its work."""
        problem = self._controller.problem if self._controller else ""
        return [sentence for sentence in (problem, self._source.waits) if sentence]

    def _not_ready(self) -> list[str]:
        reasons = self._controller.not_ready() if self._controller else ["the controller has not begun"]
        return [*reasons, *filter(None, [self._source.waits])]

    def _recordings(self, key: Key, target: str) -> Path | None:
        """The folder that the recordings of an output's target go to; None where it is no recording."""
        output = self._store.get(key)
        if not isinstance(output, Output):
            return None
        for found in output.spec.targets:
            if found.name == target and found.recording is not None:
                if found.recording.folder is not None:
                    return absolute(self._state_dir, output, found.recording.folder)
                return Path(Paths(self._state_dir, {}).recording_folder(output, found))
        return None


def _tell(sentences: Iterable[Sentence]) -> None:
    """One line each on stdout, with the time of day."""
    for sentence, tone in sentences:
        line = Text(time.strftime("%H:%M:%S  "), style="bright_black")
        console().print(line.append(visible(redact(sentence)), style=STYLES[tone] or "default"))


def _talk(sentence: str, *, style: str = "") -> None:
    """Say it on stderr: to people on a terminal, else as a line of the log, which programs read."""
    if sys.stderr.isatty():
        say(sentence, style=style)
    else:
        log.info(sentence.strip())

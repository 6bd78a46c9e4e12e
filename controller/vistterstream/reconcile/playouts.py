"""The playouts of this appliance: adopted, started, fed with plans, replaced, stopped.

One `Playout` for a program holds what the controller knows of the process. Only the program's worker acts
on it (the loop sees to that there is one); the program's daemon watches, and tells when it ended.

Planned ends are not failures. Before the controller ends a playout, it writes down that it is going to, in
``intent.json`` beside the plan, and takes its hands off the client, so that neither the daemon nor the next
controller takes the end for a crash.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import anyio
from anyio import to_thread
from pydantic import ValidationError

from vistterstream.base import logs
from vistterstream.base.errors import PermanentError, TemporaryError, VistterError
from vistterstream.base.files import write_atomic
from vistterstream.playout.client import PlayoutLost
from vistterstream.playout.protocol import PlayoutStatus
from vistterstream.reconcile.decisions import Apply, Deaths, Keep, Replace, Start, Wait, decide, named, topics
from vistterstream.reconcile.host import Client, Host, NotRunning, Unresponsive
from vistterstream.resources.kinds import Key
from vistterstream.store.events import EventType
from vistterstream.timeline.digests import plan_revision
from vistterstream.timeline.plan import Plan

log = logs.get("reconcile")

STUCK_AFTER = 30.0
"""Seconds without a word for which a playout that runs is left alone: its picture may be well."""
_ASK_AGAIN = 2.0
_LAST_CHANCE = 2.0  # to answer, before it is replaced: it may be that the controller itself was held up
_END_DEADLINE = 4.0  # with what it takes to ask and to sweep up, an end takes less than ten seconds
_STUCK_DEADLINE = 1.0  # for one that hangs anyway
_WRITE_AGAIN = 5.0
_REPLACE_AFTER = frozenset({"FormatChanged", "PlanVersion", "BadPlan"})
"""Reasons of a refusal that another process will not have: one of an older version, for instance."""


class Tell(Protocol):
    """Writes an event down."""

    def __call__(  # noqa: D102
        self, key: Key, reason: str, message: str, type: EventType = EventType.NORMAL
    ) -> None: ...


@dataclass(slots=True)
class Playout:
    """What is known of one program's playout. `client` is None while none runs, as far as is known."""

    key: Key
    folder: Path
    client: Client | None = None
    plan: Plan | None = None  # last handed to it
    revision: str | None = None  # of the plan that it took
    outdated: str | None = None  # revision of the plan before
    status: PlayoutStatus | None = None  # newest
    silent: bool = False  # it runs, but says nothing; `report` is what is known while it does
    heard: float | None = None  # when it last said something, or was first asked; the event loop's time
    since: datetime | None = None
    deaths: Deaths = field(default_factory=Deaths)
    death: str = ""  # how the last one ended
    restarts: dict[str, int] = field(default_factory=dict)  # by reason
    arrived: anyio.Event = field(default_factory=anyio.Event)
    sought: bool = False  # whether one was looked for since this controller started
    born: float = 0.0

    @property
    def report(self) -> PlayoutStatus | None:
        """What is so, as far as is known: its newest status, None while it is silent."""
        return None if self.silent else self.status

    @property
    def may_be_on_air(self) -> bool:
        """Whether it shows something, or nobody has looked yet whether one runs."""
        return self.status.on_air is not None if self.status is not None else not self.sought

    def stuck_in(self, now: float) -> float:
        """Seconds until it has been without a word for too long; zero or less: it has."""
        return STUCK_AFTER if self.heard is None else self.heard + STUCK_AFTER - now

    async def arrival(self) -> Client:
        """Wait until a client is there."""
        while self.client is None:
            await self.arrived.wait()
        return self.client

    def take(self, client: Client, revision: str) -> None:
        """`client` speaks for the program's playout from now on, which runs the plan of that revision."""
        self.client, self.revision = client, revision
        self.status, self.silent, self.outdated = None, False, None
        self.since = _started(self.folder)
        self.born = self.heard = anyio.current_time()
        self.arrived.set()

    def applied(self, revision: str, plan: Plan) -> None:
        """It runs `plan` now. What it said of things that are not in there any more is forgotten.

        Otherwise an Output that is removed and soon comes back would start with the old one's pusher.
        """
        if revision != self.revision:
            self.outdated, self.revision = self.revision, revision
        if self.status is not None:
            outputs = {output.name for output in plan.outputs}
            cameras = {camera.name for camera in plan.cameras}
            self.status = self.status.model_copy(
                update={
                    "outputs": {name: said for name, said in self.status.outputs.items() if name in outputs},
                    "cameras": {name: said for name, said in self.status.cameras.items() if name in cameras},
                }
            )

    def release(self) -> Client | None:
        """Nothing speaks for it any more; returns what did."""
        client, self.client, self.revision, self.status, self.silent = self.client, None, None, None, False
        if client is not None:  # else somebody may be waiting for one
            self.arrived = anyio.Event()
        return client


class Playouts:
    """The playouts of all programs, by key."""

    def __init__(
        self,
        state_dir: Path,
        host: Host,
        tell: Tell,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._state_dir = state_dir
        self._host = host
        self._tell = tell
        self._chance = chance
        self._known: dict[Key, Playout] = {}

    def of(self, key: Key) -> Playout:
        """The playout of program `key`, running or not."""
        playout = self._known.get(key)
        if playout is None:
            folder = self._host.playout_dir(self._state_dir, key.namespace, key.name)
            playout = self._known[key] = Playout(key, folder)
        return playout

    def __iter__(self) -> Iterator[Playout]:
        return iter(tuple(self._known.values()))

    async def converge(self, key: Key, plan: Plan, secrets: Mapping[str, str]) -> None:
        """Have `plan` played: adopt, start, apply or replace, whatever it takes.

        Raises TemporaryError while it is too early to start one that keeps ending or to replace one that
        hangs, and the client's errors.
        """
        playout = self.of(key)
        await self._seek(playout)
        await self._bear_silence(playout)
        action = decide(
            plan,
            playout.plan,
            revision=playout.revision,
            alive=playout.client is not None,
            retry_at=playout.deaths.retry_at,
            now=anyio.current_time(),
        )
        match action:
            case Keep():
                playout.plan = plan
            case Start():
                await self._start(playout, plan, secrets)
            case Apply():
                await self._apply(playout, plan, secrets, action)
            case Replace():
                await self._replace(playout, plan, secrets, f"{named(action.changes)} changed")
            case Wait(delay):
                raise TemporaryError(
                    f"the playout ended {playout.deaths.count} times in a row ({playout.death}); "
                    f"it is started again in {delay:.0f} s",
                    delay=delay,
                    reason="PlayoutRestarting",
                )

    async def stop(self, key: Key, why: str) -> None:
        """Take the program off air for good, and forget it; nothing of its folder stays."""
        playout = self.of(key)
        running = playout.client is not None or playout.folder.is_dir()
        type = EventType.WARNING if playout.may_be_on_air else EventType.NORMAL
        await self._end(playout, why)
        await to_thread.run_sync(lambda: shutil.rmtree(playout.folder, ignore_errors=True))
        self._known.pop(key, None)
        if running:
            self._tell(key, "PlayoutStopped", f"Off air: {why}.", type)

    async def lost(self, playout: Playout, client: Client, how: str) -> bool:
        """`client`'s playout ended by itself. False where that is known already, or was planned."""
        if playout.client is not client:
            return False
        playout.release()
        now = anyio.current_time()
        playout.deaths = playout.deaths.another(now=now, lived=now - playout.born, chance=self._chance())
        playout.death = how
        playout.restarts["Lost"] = playout.restarts.get("Lost", 0) + 1
        self._tell(playout.key, "PlayoutLost", f"The playout ended: {how.rstrip('.')}.", EventType.WARNING)
        await client.aclose()
        return True

    async def leave(self) -> None:
        """Let go of all clients; the playouts run on."""
        for playout in self:
            client = playout.release()
            if client is not None:
                await client.aclose()

    # Steps

    async def _seek(self, playout: Playout) -> None:
        """Once: adopt what runs in the playout's folder."""
        if playout.sought:
            return
        if playout.folder.is_dir():
            await self._adopt(playout)
        playout.sought = True

    async def _adopt(self, playout: Playout) -> None:
        asked = anyio.current_time()
        try:
            client = await self._host.connect(playout.folder)
        except NotRunning as error:
            playout.silent = False
            self._mourn(playout, str(error))
            return
        except Unresponsive as error:
            playout.silent, playout.heard = True, asked if playout.heard is None else playout.heard
            if playout.stuck_in(anyio.current_time()) > 0:
                raise TemporaryError(
                    f"{error.message}; it is asked again", delay=_ASK_AGAIN, reason=error.reason
                ) from None
            await self._end_stuck(playout, error.pid)
            return
        try:
            status = await client.status()
        except VistterError:
            await client.aclose()
            raise
        playout.plan = await to_thread.run_sync(read_plan, playout.folder)
        playout.take(client, status.revision)
        playout.status = status  # so that what is so already is not told as news
        message = f"The running playout (pid {client.pid}) was taken over; nothing on air changed."
        self._tell(playout.key, "PlayoutAdopted", message)

    async def _bear_silence(self, playout: Playout) -> None:
        """Leave one that hangs alone for a while, then end it, so that another can be started."""
        client = playout.client
        if client is None or not playout.silent:
            return
        left = playout.stuck_in(anyio.current_time()) - _LAST_CHANCE
        if left > 0:
            message = (
                f"the playout (process {client.pid}) runs, but says nothing; it is replaced if that lasts"
            )
            raise TemporaryError(message, delay=left, reason="PlayoutSilent")
        try:
            with anyio.fail_after(_LAST_CHANCE):
                await client.status()
        except (TimeoutError, PlayoutLost):
            await self._end_stuck(playout, client.pid)
        else:
            playout.heard = anyio.current_time()

    async def _end_stuck(self, playout: Playout, pid: int) -> None:
        playout.restarts["Stuck"] = playout.restarts.get("Stuck", 0) + 1
        told = f"The playout (pid {pid}) has said nothing for {STUCK_AFTER:.0f} s and is replaced."
        self._tell(playout.key, "PlayoutStuck", told, EventType.WARNING)
        await self._end(playout, "it hangs", deadline=_STUCK_DEADLINE)

    def _mourn(self, playout: Playout, why: str) -> None:
        """Say that a playout is not there any more, though its folder is."""
        intent = read_intent(playout.folder)
        if intent is None and (playout.folder / "identity.json").exists():
            playout.restarts["Lost"] = playout.restarts.get("Lost", 0) + 1
            message = f"The playout ended while no controller ran: {why}."
            self._tell(playout.key, "PlayoutLost", message, EventType.WARNING)

    async def _start(self, playout: Playout, plan: Plan, secrets: Mapping[str, str]) -> None:
        await self._write(playout, plan, secrets)
        again = "" if not playout.death else f", after the one before ended: {playout.death.rstrip('.')}"
        try:
            client = await self._host.start(playout.folder)
        except VistterError as error:
            now = anyio.current_time()
            playout.deaths = playout.deaths.another(now=now, lived=0.0, chance=self._chance())
            playout.death = error.message
            playout.restarts[error.reason] = playout.restarts.get(error.reason, 0) + 1
            raise TemporaryError(
                f"the playout did not start ({error.message}); it is tried again",
                delay=max(1.0, playout.deaths.retry_at - now),
                reason="PlayoutNotStarted",
            ) from error
        intent_path(playout.folder).unlink(missing_ok=True)
        playout.take(client, plan_revision(plan))
        playout.death = ""
        self._tell(playout.key, "PlayoutStarted", f"The playout runs (pid {client.pid}){again}.")

    async def _apply(self, playout: Playout, plan: Plan, secrets: Mapping[str, str], action: Apply) -> None:
        client = playout.client
        assert client is not None
        await self._write(playout, plan, secrets)
        try:
            applied = await client.apply()
        except PermanentError as error:
            if error.reason not in _REPLACE_AFTER or read_plan(playout.folder) is None:
                raise
            await self._replace(
                playout, plan, secrets, f"the one that runs refuses the plan: {error.message}"
            )
            return
        if playout.client is client:
            playout.applied(applied.revision, plan)
        what = topics(action.changes) or "everything"
        message = f"On air from frame {applied.frame} on, without interruption: {what}."
        self._tell(playout.key, "PlanApplied", message)

    async def _replace(self, playout: Playout, plan: Plan, secrets: Mapping[str, str], why: str) -> None:
        self._tell(playout.key, "PlayoutReplaced", f"The playout is replaced: {why}")
        await self._end(playout, why)
        playout.restarts["Replaced"] = playout.restarts.get("Replaced", 0) + 1
        await self._start(playout, plan, secrets)

    async def _end(self, playout: Playout, why: str, *, deadline: float = _END_DEADLINE) -> None:
        """End the process, as planned."""
        if playout.folder.is_dir():
            await to_thread.run_sync(write_intent, playout.folder, why)
        client = playout.release()
        if client is None:
            await self._host.end(playout.folder, deadline=deadline)
            return
        try:
            await client.stop(deadline=deadline)
        finally:
            with anyio.CancelScope(shield=True):
                await client.aclose()

    async def _write(self, playout: Playout, plan: Plan, secrets: Mapping[str, str]) -> None:
        def write() -> None:
            playout.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._host.write_plan(playout.folder, plan, secrets)

        try:
            await to_thread.run_sync(write)
        except OSError as error:
            raise TemporaryError(
                f"the plan cannot be written to {playout.folder} ({error.strerror or error}); "
                "what is on air goes on. Make room on the disk and see that it can be written",
                delay=_WRITE_AGAIN,
                reason="PlanNotWritten",
            ) from error
        playout.plan = plan


def _started(folder: Path) -> datetime:
    """When the playout in `folder` came up: it wrote its identity then."""
    try:
        return datetime.fromtimestamp((folder / "identity.json").stat().st_mtime, UTC)
    except OSError:
        return datetime.now(UTC)


def read_plan(folder: Path) -> Plan | None:
    """The plan in `folder`, None where there is none that this version understands."""
    try:
        return Plan.model_validate_json((folder / "plan.json").read_bytes())
    except (OSError, ValidationError):
        return None


def intent_path(folder: Path) -> Path:
    """Where it stands that the playout in `folder` is about to be ended on purpose."""
    return folder / "intent.json"


def write_intent(folder: Path, why: str) -> None:
    """Write down that the playout is about to be ended, and why."""
    write_atomic(intent_path(folder), json.dumps({"end": why}).encode())


def read_intent(folder: Path) -> str | None:
    """Why the playout was to be ended; None where it was not."""
    try:
        return str(json.loads(intent_path(folder).read_bytes())["end"])
    except (OSError, ValueError, KeyError, TypeError):
        return None

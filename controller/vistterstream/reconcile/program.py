"""Program: gathers what it is made of, compiles the plan, and has it played.

Read `reconcile` from top to bottom: that is the whole way from manifests to the air. `follow` is the way
back: what the playout says of itself, to statuses and events.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

import anyio
from anyio import to_thread

from vistterstream.base import logs, memory
from vistterstream.playout.client import PlayoutLost
from vistterstream.playout.protocol import OnAir as OnAirNow
from vistterstream.playout.protocol import PlayoutStatus, Standing
from vistterstream.reconcile import observations, secrets, verdict
from vistterstream.reconcile.appliance import Appliance, Made, Planned
from vistterstream.reconcile.gather import Inputs, gather
from vistterstream.reconcile.host import Client
from vistterstream.reconcile.loop import Registry, fingerprint
from vistterstream.reconcile.paths import Paths, clips, images, missing, missing_clips
from vistterstream.reconcile.playouts import STUCK_AFTER, Playout, read_plan
from vistterstream.reconcile.problems import Problem, distinct, of_compiler
from vistterstream.reconcile.verdict import Outlook, Verdict, condition
from vistterstream.resources.conditions import Condition, timestamp
from vistterstream.resources.kinds import Key, Overlay, Program, Timeline
from vistterstream.resources.quantities import Duration
from vistterstream.resources.status import OnAir, OnAirPlayback, OnAirSource, PlayoutProcess, ProgramStatus
from vistterstream.store.events import EventType
from vistterstream.timeline.compile import Compiled, PlanError, compile_plan
from vistterstream.timeline.parts import NOTHING, Parts

log = logs.get("reconcile")

on: Registry[Appliance] = Registry()

SILENCE = 8.0
"""Seconds without a word (a playout reports once a second) after which its state counts as unknown."""
IMAGE_CHECK = 15.0
"""Seconds between two looks at whether an image was changed."""
_GONE_WITHIN = 2.0  # a connection that broke because the process ended: how long that may take to show


@on.reconcile("Program")
async def reconcile(appliance: Appliance, program: Program) -> None:
    """Have the program played as it, its timeline, overlays, cameras and outputs say."""
    inputs = gather(appliance.store, program)
    parts = frozenset(part.key for part in inputs.objects())
    appliance.uses(program.key, parts)
    values = secrets.collect(appliance.store, inputs.objects())
    pictures = tuple(images(appliance.state_dir, inputs))
    copies = await appliance.assets.load(image.file for image in pictures)
    paths = Paths(appliance.state_dir, copies)
    try:
        revision = values.revision(appliance.salt)
        with memory.put_off():
            planned = _compile(appliance, inputs, paths, revision)
        missing_images = missing(iter(pictures), copies)
        files = tuple(clips(appliance.state_dir, inputs))
        there = await to_thread.run_sync(_there, [clip.file for clip in files], abandon_on_cancel=True)
        lost = missing_clips(files, {file for file, is_there in there.items() if is_there})
        made = Made(
            parts=parts,
            problems=distinct([*values.problems, *missing_images, *lost, *planned.problems]),
            images=tuple(image.file for image in pictures),
            shown=tuple(
                paths.shown(one) for one in (*pictures, *files) if not isinstance(one.resource, Overlay)
            ),
            clips=there,
            planned=planned,
        )
        known = appliance.made.get(program.key)
        appliance.make(program.key, made)
        await appliance.playouts.converge(program.key, planned.plan, values.values)
        if known is None or known.planned is not planned:
            memory.tidy()
    finally:
        appliance.statuses.request(*sorted(parts))


@on.delete("Program")
async def delete(appliance: Appliance, key: Key) -> None:
    """Take the program off air."""
    await appliance.playouts.stop(key, "the Program was deleted")
    appliance.make(key, None)


@on.timer("Program", interval=IMAGE_CHECK)
async def look_at_images(appliance: Appliance, key: Key) -> None:
    """Notice an image that was saved again, and a clip or an image that came or went."""
    made = appliance.made.get(key)
    if made is None:
        return
    there = await to_thread.run_sync(_there, list(made.clips), abandon_on_cancel=True)
    if there != made.clips or await appliance.assets.changed(made.images):
        appliance.enqueue(key)


def _there(files: Iterable[Path]) -> dict[Path, bool]:
    """Whether each of the files is there."""
    return {file: file.is_file() for file in files}


@on.daemon("Program")
async def follow(appliance: Appliance, key: Key) -> None:
    """Watch the program's playout, whichever runs, and see to it that one does."""
    playout = appliance.playouts.of(key)
    while True:
        client = await playout.arrival()
        how = await _watch(appliance, playout, client)
        if how is not None and await appliance.playouts.lost(playout, client, how):
            appliance.statuses.request(*sorted(_observed(appliance, key)))
            appliance.enqueue(key)


# From objects to a plan


def _compile(appliance: Appliance, inputs: Inputs, paths: Paths, revision: str) -> Planned:
    """The plan, the timeline it plays, and what is wrong; the same as last time where nothing changed.

    A timeline that makes no sense does not take what is on air away: the one that was good stays, and
    everything else that changed is taken over.
    """
    program = inputs.program
    prints = [(part.key, fingerprint(part)) for part in inputs.objects()]
    basis = prints, dict(paths.copies), revision
    made = appliance.made.get(program.key)
    if made is not None and made.planned is not None and made.planned.basis == basis:
        return made.planned
    parts = NOTHING if made is None or made.planned is None else made.planned.parts
    try:
        compiled = _plan(inputs, inputs.timeline, paths, revision, parts)
        told = of_compiler(program.metadata.namespace, compiled.problems)
        return Planned(basis, compiled.plan, inputs.timeline, tuple(told), compiled.parts)
    except PlanError as error:
        wrong = _invalid(inputs, error)
    good = made.timeline if made is not None else None
    running = read_plan(appliance.playouts.of(program.key).folder) if good is None else None
    try:
        compiled = _plan(inputs, good, paths, revision, parts)
    except PlanError:  # at another frame rate, or with a timeline it shows, even the good one may make none
        compiled = _plan(inputs, None, paths, revision, parts)
        running = read_plan(appliance.playouts.of(program.key).folder)
    plan = compiled.plan
    if running is not None and running.format == plan.format:
        kept = ("timeline", "cameras", "overlays", "images", "clips")
        update = {name: getattr(running, name) for name in kept}
        plan = plan.model_copy(update=update | {"originals": running.originals | plan.originals})
    return Planned(None, plan, good, tuple(wrong), compiled.parts)


def _plan(inputs: Inputs, timeline: Timeline | None, paths: Paths, revision: str, parts: Parts) -> Compiled:
    return compile_plan(
        inputs.program,
        timeline=timeline,
        timelines=inputs.timelines,
        overlays=inputs.overlays,
        cameras=inputs.cameras,
        outputs=inputs.outputs,
        resolve=paths.resolve,
        hls_folder=paths.hls_folder,
        recording_folder=paths.recording_folder,
        originals=paths.originals,
        secrets_revision=revision,
        parts=parts,
    )


def _invalid(inputs: Inputs, error: PlanError) -> list[Problem]:
    """The problems of a timeline that cannot be compiled, and of the program that names it."""
    assert inputs.timeline is not None
    timeline, program = inputs.timeline.key, inputs.program.key
    told = f"{timeline} cannot be played ({error.message}); what was on air before goes on"
    return [
        Problem(timeline, error.path, error.reason, error.message),
        Problem(program, "spec.timeline", error.reason, told),
    ]


# From what the playout says to statuses and events


async def _watch(appliance: Appliance, playout: Playout, client: Client) -> str | None:
    """Take in what the playout says until it ends; returns how. None: it runs, but the line broke."""
    try:
        async with aclosing(client.watch()) as statuses:  # type: ignore[type-var]
            while True:
                status: PlayoutStatus | None = None
                with anyio.move_on_after(SILENCE) as patience:
                    status = await anext(statuses, None)
                if patience.cancelled_caught:
                    _fell_silent(appliance, playout, client)
                if status is None:
                    break
                _take_in(appliance, playout, client, status)
    except PlayoutLost as error:
        log.info("a playout's report ended", object=str(playout.key), message=error.message)
    with anyio.move_on_after(_GONE_WITHIN):
        await client.wait_ended()
        return f"process {client.pid} ended"
    _fell_silent(appliance, playout, client)
    return None


def _take_in(appliance: Appliance, playout: Playout, client: Client, status: PlayoutStatus) -> None:
    """Keep `status`; have the statuses that it changes written, and tell what happened."""
    if playout.client is not client:
        return  # said of another playout
    playout.heard = anyio.current_time()
    if playout.silent:
        playout.silent = False
        _look_at_all(appliance, playout)
    if status.revision == playout.outdated:
        return  # said before it took the plan that it runs
    known = appliance.unshowable(playout.key)
    before, playout.status = playout.status, status
    touched = observations.touched(playout.key, before, status)
    if before is None or before.sound_problems != status.sound_problems:
        touched |= {part for part in _observed(appliance, playout.key) if part.kind == "Timeline"}
    found = appliance.unshowable(playout.key)
    touched |= {problem.key for problem in set(known) ^ set(found)}
    appliance.statuses.request(*sorted(touched))
    for event in (
        *observations.happened(playout.key, before, status),
        *observations.complained(known, found),
    ):
        appliance.record(event)


def _fell_silent(appliance: Appliance, playout: Playout, client: Client) -> None:
    if playout.client is not client or playout.silent:
        return
    playout.silent = True
    appliance.tell(
        playout.key,
        "PlayoutSilent",
        f"The playout (pid {client.pid}) runs, but says nothing; its picture may be well. "
        f"It is replaced {STUCK_AFTER:.0f} s after its last word.",
        EventType.WARNING,
    )
    _look_at_all(appliance, playout)


def _look_at_all(appliance: Appliance, playout: Playout) -> None:
    """What is known of all that the playout carries has changed; the worker has to see to it."""
    appliance.statuses.request(*sorted(_observed(appliance, playout.key)))
    appliance.enqueue(playout.key)


def _observed(appliance: Appliance, program: Key) -> frozenset[Key]:
    made = appliance.made.get(program)
    return made.parts if made is not None else frozenset({program})


# Status


def render(appliance: Appliance, program: Program, now: datetime) -> ProgramStatus:
    """The status of `program` as of `now`."""
    playout = appliance.playouts.of(program.key)
    said = playout.report
    process = None
    if playout.client is not None:
        process = PlayoutProcess(
            pid=playout.client.pid,
            revision=said.revision if said is not None else None,
            since=timestamp(playout.since) if playout.since is not None else None,
        )
    on_air = _on_air(said.on_air) if said is not None and said.on_air is not None else None
    judged = appliance.verdict(program) or _judge(playout)
    return ProgramStatus(
        conditions=verdict.conditions(program, judged, now, _on_air_condition(playout)),
        observed_generation=program.generation,
        playout=process,
        on_air=on_air,
        sound=said.sound.state if said is not None and said.sound is not None else None,
    )


def _judge(playout: Playout) -> Verdict:
    if playout.silent:
        return verdict.SILENT
    if playout.client is None:
        again = f" again, after it ended: {playout.death.rstrip('.')}" if playout.death else ""
        return Verdict(False, "Starting", f"The playout is being started{again}.", Outlook.RECONCILING)
    if playout.status is None:
        return Verdict(False, "Starting", "The playout has not reported yet.", Outlook.RECONCILING)
    return Verdict(True, "OnAir", "The playout runs what is wanted.")


def _on_air(now: OnAirNow) -> OnAir:
    since, frame = (now.since, now.frame) if now.came is None else (now.came.since, now.came.frame)
    return OnAir(
        source=OnAirSource(kind=now.kind, name=now.name),
        since=observations.moment(since),
        frame=frame,
        reason=now.reason,
        overlays=tuple(now.overlays),
        playback=None if now.standing is None else _playback(now.standing),
    )


def _playback(standing: Standing) -> OnAirPlayback:
    return OnAirPlayback(
        state=standing.state,
        at=Duration.of(standing.at) if standing.at is not None else None,
        since=observations.moment(standing.since) if standing.since is not None else None,
    )


def _on_air_condition(playout: Playout) -> Condition:
    said = playout.status
    if playout.silent:
        return verdict.silent("OnAir")
    if playout.client is None:
        return condition("OnAir", False, "NoPlayout", "No playout runs.")
    if said is None:
        return condition("OnAir", None, "Unknown", "The playout runs, but says nothing.")
    if said.on_air is None:
        return condition("OnAir", False, "Starting", "The first frame has not been shown yet.")
    return condition("OnAir", True, said.on_air.kind, observations.shown(said.on_air))

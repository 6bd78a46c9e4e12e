"""Output: carried by the playout of its program."""

from __future__ import annotations

from datetime import datetime

from vistterstream.playout.protocol import OutputState, PlayoutStatus
from vistterstream.playout.protocol import OutputStatus as Seen
from vistterstream.reconcile import verdict
from vistterstream.reconcile.appliance import Appliance
from vistterstream.reconcile.loop import Registry
from vistterstream.reconcile.verdict import Outlook, Verdict, condition
from vistterstream.resources.conditions import Condition
from vistterstream.resources.kinds import Key, Output
from vistterstream.resources.status import OutputStatus, Process

on: Registry[Appliance] = Registry()

USER_MUST_ACT = frozenset(
    {"Unauthorized", "CertificateInvalid", "Rejected", "PermissionDenied", "SecretMissing"}
)
"""Reasons of a failure that does not go away by itself. It is tried again all the same."""


@on.reconcile("Output")
async def reconcile(appliance: Appliance, output: Output) -> None:
    """Have the program that carries it, and the one that did until now, take notice."""
    program = Key("Program", output.metadata.namespace, output.spec.program)
    for carrier in {program, *appliance.carriers(output.key)}:
        if appliance.store.get(carrier) is not None:
            appliance.enqueue(carrier)
    _request_all(appliance)


@on.delete("Output")
async def delete(appliance: Appliance, key: Key) -> None:
    """Have the program that carried it let it go."""
    for carrier in appliance.carriers(key):
        appliance.enqueue(carrier)
    _request_all(appliance)


def _request_all(appliance: Appliance) -> None:
    """Have the status of every output written: two may have, or no longer have, a folder in common."""
    appliance.statuses.request(*(output.key for output in appliance.store.list("Output")[0]))


def render(appliance: Appliance, output: Output, now: datetime) -> OutputStatus:
    """The status of `output` as of `now`."""
    program = Key("Program", output.metadata.namespace, output.spec.program)
    if appliance.store.get(program) is None:
        return status(output, None, appliance.verdict(output), now)
    playout = appliance.playouts.of(program)
    return status(output, playout.report, appliance.verdict(output), now, silent=playout.silent)


def status(
    output: Output,
    said: PlayoutStatus | None,
    told: Verdict | None,
    now: datetime,
    *,
    silent: bool = False,
) -> OutputStatus:
    """The status that follows from what the program's playout says; None: none runs, or it is `silent`.

    `told` is the verdict where there is one already, whatever it says.
    """
    seen = said.outputs.get(output.metadata.name) if said is not None else None
    encoder = said.encoders.get(seen.encoding) if said is not None and seen is not None else None
    judged = told or (verdict.SILENT if silent else _judge(seen))
    publishing = verdict.silent("Publishing") if silent else _publishing(seen)
    return OutputStatus(
        conditions=verdict.conditions(output, judged, now, publishing),
        observed_generation=output.generation,
        active_target=(seen.active_target or None) if seen is not None else None,
        pusher=Process(pid=seen.pid) if seen is not None and seen.pid is not None else None,
        encoder=Process(pid=encoder.pid) if encoder is not None and encoder.pid is not None else None,
        reconnects=seen.reconnects if seen is not None else None,
    )


def _judge(seen: Seen | None) -> Verdict:
    if seen is None:
        return Verdict(False, "NoReport", "No playout has reported on it.", Outlook.RECONCILING)
    if seen.state is OutputState.PUBLISHING:
        return Verdict(True, "Publishing", _message(seen))
    outlook = Outlook.STALLED if seen.reason in USER_MUST_ACT else Outlook.RECONCILING
    return Verdict(False, seen.reason or seen.state.value, _message(seen), outlook)


def _publishing(seen: Seen | None) -> Condition:
    if seen is None:
        return condition("Publishing", False, "NotCarried", "No playout carries it.")
    if seen.state is OutputState.PUBLISHING:
        return condition("Publishing", True, "Publishing", _message(seen))
    return condition("Publishing", False, seen.reason or seen.state.value, _message(seen))


def _message(seen: Seen) -> str:
    """What is to be said of it. A failure is told until the stream is taken again, also while the target is
    connected to anew: who looks at any moment reads the cause.
    """
    target = f"Target {seen.active_target}" if seen.active_target else "The target"
    if seen.state is OutputState.PUBLISHING:
        return f"{target} takes the stream."
    if seen.state is OutputState.CONNECTING and not seen.reason:
        return f"{target} is being connected to."
    failed = f"Target {seen.failed_target}" if seen.failed_target else target
    told = f"{failed}: {(seen.message or 'it failed').removesuffix('.')}."
    return told if failed == target else f"{told} {target} is tried next."

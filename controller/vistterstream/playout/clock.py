"""The program's clock: frame n is due at ``epoch + n / rate``, on the monotonic clock, exactly.

The epoch is written down once for a program (``epoch.json``) and survives the playout and a reboot: the
frame number, and with it the position of the timeline, is a function of time alone.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from vistterstream.base.clocks import steady_ns
from vistterstream.base.files import write_atomic
from vistterstream.base.processes import boot_id
from vistterstream.playout import priority

NANOSECONDS = 1_000_000_000
BUDGET_NS = 200_000_000  # further behind than this, pictures are repeated instead of composed (design §6)
RESYNC_NS = 5 * NANOSECONDS  # further behind than this, the program goes on from now, with new encoders
_STEP_NS = 100_000_000  # a wall clock that moved by more than this was set, not slewed


@dataclass(frozen=True)
class Epoch:
    """The instant of frame 0 on the monotonic clock of this boot, and as Unix time, in nanoseconds."""

    monotonic_ns: int
    wall_ns: int

    def due_ns(self, frame: int, rate: Fraction) -> int:
        """When `frame` is due, on the monotonic clock."""
        return self.monotonic_ns + frame * NANOSECONDS * rate.denominator // rate.numerator

    def wall_of(self, frame: int, rate: Fraction) -> int:
        """When `frame` is due, as Unix time in nanoseconds."""
        return self.wall_ns + frame * NANOSECONDS * rate.denominator // rate.numerator

    def frame_at(self, monotonic_ns: int, rate: Fraction) -> int:
        """The first frame that is due at or after `monotonic_ns`."""
        elapsed = monotonic_ns - self.monotonic_ns
        return -(-elapsed * rate.numerator // (NANOSECONDS * rate.denominator))

    def stepped(self, monotonic_ns: int, wall_ns: int) -> Epoch:
        """The epoch after somebody set the wall clock; itself when nobody did.

        Frames go on being due at the same monotonic instants; only the time of day that belongs to them
        is another.
        """
        wall = wall_ns - (monotonic_ns - self.monotonic_ns)
        return self if abs(wall - self.wall_ns) <= _STEP_NS else Epoch(self.monotonic_ns, wall)


def load_epoch(path: Path) -> Epoch:
    """The epoch in `path`; a new one, now, where there is none. Raises OSError."""
    now, wall = steady_ns(), time.time_ns()
    try:
        stored = json.loads(path.read_bytes())
        monotonic_ns, wall_ns = int(stored["monotonic_ns"]), int(stored["wall_ns"])
        if stored["boot_id"] != boot_id():
            monotonic_ns = now - (wall - wall_ns)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        monotonic_ns, wall_ns = now, wall
    if monotonic_ns > now:  # a clock without a battery is behind what it was: start over, not in the past
        monotonic_ns, wall_ns = now, wall
    epoch = Epoch(monotonic_ns, wall_ns).stepped(now, wall)
    save_epoch(path, epoch)
    return epoch


def save_epoch(path: Path, epoch: Epoch) -> None:
    """Write `epoch` down. Raises OSError."""
    stored = {"boot_id": boot_id(), "monotonic_ns": epoch.monotonic_ns, "wall_ns": epoch.wall_ns}
    write_atomic(path, json.dumps(stored).encode())


class Ticker:
    """The clock thread: calls `tick(n, repeat)` once for each frame, in order, skipping none.

    `repeat` is True when the program is so far behind that the picture should be repeated. After a pause
    of several seconds (a suspended machine) the count goes on from now, and `resync(n)` is called first.
    """

    def __init__(
        self,
        epoch: Callable[[], Epoch],
        rate: Fraction,
        tick: Callable[[int, bool], None],
        resync: Callable[[int], None],
    ) -> None:
        self._epoch = epoch
        self._rate = rate
        self._tick = tick
        self._resync = resync
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
        self._failed: BaseException | None = None
        self.realtime = False
        self.frame = epoch().frame_at(steady_ns(), rate)
        self.late = 0
        self.repeated = 0

    def start(self) -> None:
        """Begin with the next frame that is due."""
        self._thread.start()

    def stop(self) -> None:
        """End after the current frame, and wait for that."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether it runs; a clock that ended by itself has failed."""
        return self._thread.is_alive()

    @property
    def failure(self) -> BaseException | None:
        """What ended it, where it was not asked to."""
        return self._failed

    def _run(self) -> None:
        self.realtime = priority.ask(priority.CLOCK)
        try:
            while not self._stop.is_set():
                self._step()
        except BaseException as error:  # the thread's edge: whoever watches `failure` reports it
            self._failed = error
            raise

    def _step(self) -> None:
        due = self._epoch().due_ns(self.frame, self._rate)
        behind = steady_ns() - due
        if behind < 0:
            time.sleep(-behind / NANOSECONDS)
            behind = 0
        elif behind > RESYNC_NS:
            self.frame = self._epoch().frame_at(steady_ns(), self._rate)
            self._resync(self.frame)
            return
        repeat = behind > BUDGET_NS
        self._tick(self.frame, repeat)
        self.repeated += repeat
        next_due = self._epoch().due_ns(self.frame + 1, self._rate)
        self.late += steady_ns() > next_due
        self.frame += 1

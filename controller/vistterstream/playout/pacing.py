"""How long to wait before trying again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass
class Backoff:
    """Delays that double from `first` to `most` seconds, each 75 to 125 % of its nominal length.

    Only time in which the thing really worked starts the count anew (`worked`): a connection that is
    accepted and leads to nothing does not.
    """

    first: float = 0.25
    most: float = 15.0
    stable_after: float = 10.0
    source: random.Random = field(default_factory=random.Random)
    failures: int = 0

    def worked(self, seconds: float) -> None:
        """It delivered for this long."""
        if seconds >= self.stable_after:
            self.failures = 0

    def next(self) -> float:
        """It failed: seconds to wait now."""
        nominal = min(self.most, self.first * 2.0 ** min(self.failures, 20))
        self.failures += 1
        return nominal * self.source.uniform(0.75, 1.25)

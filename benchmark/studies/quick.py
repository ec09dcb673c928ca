"""quick: the six methods at three strengths each, small enough to try.

Every second strength of sober_mini's sweeps, which were chosen on seeds that no study uses; its
schedules are the same shares of a shorter budget. Of its metrics the slowest is left out, and DCI
sees 1,000 points.
"""

import dataclasses

from ..study import Budget, register
from .sober_mini import SOBER_MINI, grid

UPDATES = 2_000

QUICK = register(
    dataclasses.replace(
        SOBER_MINI,
        name="quick",
        about="""Six methods, 3 strengths, 3 seeds on mini_sprites: 54 runs, two to three minutes.

The smallest study that shows what the large one is about: how much of a score is the method's
doing, how much the strength's, and how much the seed's.""",
        models=grid(UPDATES, every=2),
        seeds=tuple(range(3)),
        budget=Budget(updates=UPDATES, batch_size=64),
        metrics=tuple(
            {"dci": "dci_1000"}.get(name, name)
            for name in SOBER_MINI.metrics
            if name != "explicitness"
        ),
    )
)

"""quick: the question of the study in two or three minutes."""

from ..study import Budget, Study, register
from .mini import METRICS, methods

QUICK = register(
    Study(
        name="quick",
        about="""Six methods against the seed: mini_sprites, 3 strengths × 3 seeds, in minutes.

The smallest study that shows what the large one is about: how much of a score is the method's
doing, how much the strength's, and how much the seed's. A weak, a middle and a strong setting of
every method, of those of sober_mini.""",
        datasets=("mini_sprites",),
        models=methods(2_000, slice(0, 5, 2)),
        fields={"learning_rate": 1e-3},
        seeds=tuple(range(3)),
        budget=Budget(updates=2_000, batch_size=64),
        metrics=METRICS,
    )
)

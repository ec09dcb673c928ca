"""quick: the question of the study in about a minute."""

from ..study import Budget, Study, register

QUICK = register(
    Study(
        name="quick",
        about="""β against the seed: β-VAE on mini_sprites, 4 strengths × 5 seeds, in a minute.

The smallest study that shows what the large one is about: how much of a score is the strength's
doing, and how much the seed's.""",
        datasets=("mini_sprites",),
        models=(("beta_vae", {"beta": (0.25, 1, 4, 8)}),),
        fields={"learning_rate": 1e-3},
        seeds=tuple(range(5)),
        budget=Budget(updates=2_000, batch_size=64),
        metrics=("mig", "reconstruction", "kl", "active_units"),
    )
)

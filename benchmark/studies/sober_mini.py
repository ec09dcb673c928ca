"""sober_mini: the grid of the paper on mini_sprites.

Strengths do not carry from 64×64 images to 16×16 as they stand: the loss sums over 256 pixels
instead of 4,096, so one nat of penalty weighs 16 times more. The sweeps are this study's own, six
settings for every method, from no visible effect to near collapse where the method has such ends,
chosen once on seeds 1000 to 1002, which no study uses (3,000 updates; medians of 3):

- β-VAE, β: at .5 six latents are active and KL is 9.9 nats, at 12 two and 1.0.
- β-TCVAE, β: 1 is the VAE; at 16 three latents are active and KL is 3.4 nats, at 32 two and 2.7.
- FactorVAE, γ: at .5 KL and reconstruction are the VAE's; 50 scores worse than 10.
- DIP-VAE-I, λ_od: with λ_d = 10 λ_od, .005 is the VAE's KL, 7.2 nats, with four active latents;
  .1 already spreads the code over all ten, and at 50 reconstruction is a fifth worse.
- DIP-VAE-II, λ_od: .1 is the VAE's KL, 7.1 nats; at 250 it is 3.0 and reconstruction has doubled.
- AnnealedVAE, C_max as shares of log 6,144 = 8.72 nats, which is all there is to know about an
  image: an eighth to one and a half. It is reached after a third of the updates, as in the paper;
  γ is the paper's 1,000 in proportion to the pixels.

The discriminator of FactorVAE has 3 layers of 256 instead of 6 of 1,000, which would cost a hundred
times the VAE. It and the VAE learn at 1e-3.
"""

import math

from ..study import Budget, Study, register

UPDATES = 3_000
# Of log N, what there is to know about an image.
CAPACITIES = tuple(round(x * math.log(6_144), 3) for x in (1 / 8, 1 / 4, 1 / 2, 3 / 4, 1, 3 / 2))
DISCRIMINATOR = {"discriminator_widths": (256,) * 3, "discriminator_learning_rate": 1e-3}


def grid(updates: int, every: int = 1) -> tuple:
    """The six methods with every `every`-th of their strengths, for runs of so many updates."""
    annealing = {"gamma": 62.5, "iteration_threshold": round(updates / 3)}
    sweeps = (
        ("beta_vae", "beta", (0.5, 1, 2, 4, 8, 12), {}),
        ("factor_vae", "gamma", (0.5, 2, 5, 10, 20, 50), DISCRIMINATOR),
        ("dip_vae_i", "lambda_od", (0.005, 0.02, 0.1, 0.5, 5, 50), {}),
        ("dip_vae_ii", "lambda_od", (0.1, 0.5, 2, 10, 50, 250), {}),
        ("beta_tcvae", "beta", (1, 2, 4, 8, 16, 32), {}),
        ("annealed_vae", "c_max", CAPACITIES, annealing),
    )
    return tuple((name, {key: sweep[::every]} | own) for name, key, sweep, own in sweeps)


SOBER_MINI = register(
    Study(
        name="sober_mini",
        about="""The question of "Challenging Common Assumptions" on mini_sprites: 360 runs.

Six methods, six strengths, ten seeds, 3,000 updates each: what is left of a method's advantage once
every seed and every strength is counted. Its 60 runs of β-VAE take three minutes on two cores,
those of FactorVAE longer.""",
        datasets=("mini_sprites",),
        models=grid(UPDATES),
        fields={"learning_rate": 1e-3},
        seeds=tuple(range(10)),
        budget=Budget(updates=UPDATES, batch_size=64),
        metrics=(
            "beta_vae_score",
            "factor_vae_score",
            "mig",
            "mig_rotated",
            "dci",
            "modularity",
            "explicitness",
            "sap",
            "unsupervised",
            "unsupervised_sampled",
            "reconstruction",
            "kl",
            "active_units",
        ),
    )
)

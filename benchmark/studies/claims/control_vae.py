"""ControlVAE: a set-point for the KL, and whether it is reached."""

from soberlook.results.verdict import Contrast, Level

from ...claim import Arm, Claim, register
from ...study import Budget

# The set-point from the first update on, and weights below the paper's bound of 1, without which
# the KL of digits stays below both.
CONTROLLED = {"kl_rise": 1.0, "beta_min": 0.0, "ki": 0.003}
# The controller of GCVAE's released code, alone, which is made anew at every update.
FORGETS = {"memory": "repo_stateless", "alpha_max": 0, "gamma_min": 0, "gamma_max": 0}


def reached(arm, target):
    """Whether the KL of this arm is within 5 % of its set-point."""
    return Level(metric="kl", arm=arm, target=target, near=True, relative=True, margin=-0.05)


CONTROL_VAE = register(
    Claim(
        name="control_vae",
        sentence="A PI controller of the KL's weight brings the KL to the value that is asked for.",
        source="Shao et al., ICML 2020, sections 3 and 4.3",
        about="""The KL, over the whole grid and after training, within 5 % of what was asked for.

Two set-points: mini_sprites' VAE lies between them and that of digits below. On seeds 1000 to 1002
and mini_sprites the paper's K_i of .001 had not reached 4 after 1,000 updates (5.1), and .003 was
within 3 % after 2,000, in which runs are several hundred times shorter than the paper's. It is a
claim about training and not about images: one network. A controller without memory, as in GCVAE's
released code, must fail, and so must no controller at all.""",
        arms={
            "KL=4": Arm("control_vae", CONTROLLED | {"kl_target": 4}),
            "KL=8": Arm("control_vae", CONTROLLED | {"kl_target": 8}),
            "no memory": Arm("gcvae", FORGETS | {"kl_target": 4}),
            "beta=1": Arm("beta_vae", {"beta": 1}),
            "beta=4": Arm("beta_vae", {"beta": 4}),
        },
        datasets=("mini_sprites", "digits"),
        networks={"mlp": 50},
        fields={"learning_rate": 1e-3},
        budget=Budget(updates=2_000, batch_size=64),
        metrics=("kl", "reconstruction"),
        parts=(reached("KL=4", 4), reached("KL=8", 8)),
        negative=(reached("no memory", 4), reached("beta=1", 4)),
        positive=(Contrast(metric="kl", arm="beta=1", against="beta=4", margin=0.5),),
    )
)

"""NashAE: how many latents its covariance leaves alive, and whether they are disentangled."""

from soberlook.results.verdict import Contrast, Level

from ...claim import Arm, Claim, register
from ...study import Budget

ABOUT = """

λ is .05, of five from .008 to .2 on seeds 1000 to 1002: the one whose number of live latents
is at worst least far from that of the factors, if one λ is to serve both datasets. There 7.0 of ten
latents live for the five factors of mini_sprites and 4.0 for the six of mini_solids, where a plain
autoencoder uses 10 and 9. With a λ for each, .1 and .02, it would be 4.3 and 5.7: the paper has a λ
for each of its datasets. MIG was .04 and .04, of the plain autoencoder .03 and .08.
As in the paper the network is dense. With nothing but the covariance in its loss no latent lives,
and with labels of all images MIG is high: the positive controls."""

SHARED = {
    "arms": {
        "nash_ae": Arm("nash_ae", {"lambda_cov": 0.05}),
        "autoencoder": Arm("nash_ae", {"lambda_cov": 0}),
        "covariance alone": Arm("nash_ae", {"lambda_cov": 1}, share=0.25),
        "all labels": Arm("s2_vae", {"beta": 1, "gamma_sup": 10, "labelled": 0}, share=0.5),
    },
    "datasets": ("mini_sprites", "mini_solids"),
    "networks": {"mlp": 50},
    "fields": {"learning_rate": 1e-3},
    "budget": Budget(updates=2_000, batch_size=64),
    "metrics": ("live_latents", "latent_predictability", "mig", "mig_rotated", "reconstruction"),
}
AS_MANY = {"metric": "live_latents_per_factor", "target": 1.0, "near": True, "margin": -0.25}
BETTER = {"arm": "nash_ae", "against": "autoencoder", "margin": 0.02}

NASH_AE = register(
    Claim(
        name="nash_ae",
        sentence="With one λ adversarial covariance leaves about as many latents alive as there "
        "are factors, whose number it is not told.",
        source="Yeats et al., ECCV 2022, the experiments on Beamsynthesis and dSprites",
        about="Live latents, against factors and against a plain autoencoder." + ABOUT,
        parts=(
            Level(arm="nash_ae", **AS_MANY),
            Contrast(
                metric="live_latents",
                arm="nash_ae",
                against="autoencoder",
                higher=False,
                margin=2.0,
            ),
        ),
        negative=(Level(arm="autoencoder", **AS_MANY),),
        positive=(
            Level(
                metric="live_latents",
                arm="covariance alone",
                target=1.0,
                higher=False,
                margin=0.0,
            ),
        ),
        **SHARED,
    )
)

NASH_AE_SCORE = register(
    Claim(
        name="nash_ae_score",
        sentence="Codes that cannot predict each other are more disentangled than those of a plain "
        "autoencoder.",
        source="Yeats et al., ECCV 2022, the experiments on dSprites",
        about="The score beside the number of live latents." + ABOUT,
        parts=(
            Contrast(metric="mig", **BETTER),
            Contrast(
                metric="latent_predictability",
                arm="nash_ae",
                against="autoencoder",
                higher=False,
                margin=0.1,
            ),
        ),
        negative=(Contrast(metric="mig_rotated", **BETTER),),
        positive=(Contrast(metric="mig", arm="all labels", against="autoencoder", margin=0.1),),
        **SHARED,
    )
)

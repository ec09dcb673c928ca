"""GCVAE: better reconstructions at higher MIG, with controllers that remember and as released."""

from soberlook.results.verdict import Contrast

from ...claim import Arm, Claim, register
from ...study import Budget

SOURCE = "Ezukwoke et al., arXiv 2206.04225, 2022, section 5"
BETAS = ("beta=1", "beta=4")
ARMS = {
    "beta=1": Arm("beta_vae", {"beta": 1}),
    "beta=4": Arm("beta_vae", {"beta": 4}),
    "all labels": Arm("s2_vae", {"beta": 1, "gamma_sup": 10, "labelled": 0}, share=0.5),
}
SHARED = {
    "source": SOURCE,
    "datasets": ("mini_sprites", "mini_solids"),
    "fields": {"learning_rate": 1e-3},
    "budget": Budget(updates=1_000, batch_size=64),
    "metrics": ("mig", "mig_rotated", "reconstruction", "kl"),
    # What is known: a smaller weight of the KL reconstructs better, and labels disentangle.
    "positive": (
        Contrast(metric="reconstruction", arm="beta=1", against="beta=4", higher=False, margin=0.5),
        *(Contrast(metric="mig", arm="all labels", against=beta, margin=0.03) for beta in BETAS),
    ),
}
REMEMBERS = {"reconstruction_target": 1000, "ki": 1e-3}
TARGETS = {"mini_sprites": {"kl_target": 8}, "mini_solids": {"kl_target": 12}}
RELEASED = {
    "memory": "repo_stateless",
    "reconstruction": "per_row",
    "reconstruction_target": 10,
    "kl_target": 30,
}
PARTS = tuple(
    part
    for against in BETAS
    for part in (
        Contrast(metric="mig", arm="GCVAE", against=against, margin=0.03),
        Contrast(
            metric="reconstruction",
            arm="GCVAE",
            against=against,
            higher=False,
            relative=True,
            margin=0.02,
        ),
    )
)
ROTATED = (Contrast(metric="mig_rotated", arm="GCVAE", against="beta=1", margin=0.03),)

GCVAE = register(
    Claim(
        name="gcvae",
        sentence="Controlled weights of reconstruction, KL and MMD give better reconstructions at "
        "a higher MIG than the VAE and β-VAE.",
        about="""Controllers with a memory, as the paper describes them.

α grows, and with it falls the weight of the reconstruction, while the reconstruction is above its
target; where it stays there, as at the released code's 10 nats, α ends at 1 and nothing is
reconstructed. So the target is one that is never exceeded, and α = 0. K_i is ten times the
paper's in runs a hundred times shorter: with the paper's, KL is 8.1 after 2,000 updates where 8 was
asked for and 3.7 where 3 was.

The KL is what decides between reconstruction and MIG. Of 4, 6, 8, 10 and 12 nats, which lie on both
sides of the VAE's 7.3 on mini_sprites and 10.4 on mini_solids, it is the one whose worst part came
closest to its margin, or least short of it in margins, on seeds 1000 to 1002 and dense networks. On
mini_sprites it is 8: MIG .09 and 16.3 nats, where the VAE has .08 and 16.6 and β = 4 .15 and 25.5;
at 4, where MIG was best, it was .17 and 23.2 nats. On mini_solids 10 and 12 came equally close, and
12 is taken, above the VAE's KL: MIG .06 and 288.3 nats, where the VAE has .05 and 288.8 and β = 4
.08 and 302.6. The sd of MIG was .02 to .05. Rotated codes are the negative control.""",
        arms=ARMS | {"GCVAE": Arm("gcvae", REMEMBERS, on=TARGETS)},
        networks={"mlp": 50, "conv": 20},
        parts=PARTS,
        negative=ROTATED,
        **SHARED,
    )
)

GCVAE_RELEASED = register(
    Claim(
        name="gcvae_released",
        sentence="As released, GCVAE gives better reconstructions at a higher MIG than the VAE and "
        "β-VAE.",
        about="""Controllers made anew at every update, as the released code has them.

All settings are that code's: targets 10, 30 and 0.1, gains 0.1 and 1e-4, reconstruction in nats per
row. Its weights hardly depend on what is measured: on seeds 1000 to 1002, in nats per image, the KL
on mini_sprites was 17 whichever of 3 to 8 was asked for. One network: it is the objective that is
in question.""",
        arms=ARMS | {"GCVAE": Arm("gcvae", RELEASED)},
        networks={"mlp": 50},
        parts=PARTS,
        negative=ROTATED,
        **SHARED,
    )
)

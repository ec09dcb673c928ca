"""Ada-GVAE: what pairs that differ in few factors are worth, without a label."""

from soberlook.results.verdict import Contrast

from ...claim import Arm, Claim, register
from ...study import Budget

ADA_GVAE = register(
    Claim(
        name="ada_gvae",
        sentence="Pairs of images that share some factors, nobody knows which or how many, make "
        "codes more disentangled than single images do at the same strength.",
        source="Locatello et al., ICML 2020, section 5.1",
        about="""Pairs against single images, as many of either.

A pair shows two images, so those who learn from pairs have half the updates. β = 1 for all, the
VAE's, of .5, 1 and 2 on seeds 1000 to 1002. Any number of factors may differ, and Ada-GVAE takes
the latents that differ less for shared. The negative control is fed pairs that share nothing; the
positive one pairs in which one factor differs, and is told so. On the same seeds the positive
control was no better than single images on mini_solids, with twice these updates, either: nothing
can be seen there so soon, and it is left out. What is left is mini_sprites and the same in colour,
near to a copy: what holds on both holds on one kind of image. With an sd of about .11 of a
difference 50 seeds tell means of .08 from .05, and the 20 of convolutions means of .10. The paper's
updates were 300,000 and its images 64×64.""",
        arms={
            "single images": Arm("beta_vae"),
            "pairs": Arm("ada_gvae", share=0.5),
            "shuffled pairs": Arm("ada_gvae", {"matched": False}, share=0.5),
            "told": Arm("ada_gvae", {"changed": 1, "known": True}, share=0.5),
        },
        datasets=("mini_sprites", "mini_sprites_color"),
        networks={"mlp": 50, "conv": 20},
        fields={"learning_rate": 1e-3, "beta": 1.0},
        budget=Budget(updates=1_000, batch_size=64),
        metrics=("mig",),
        parts=(Contrast(metric="mig", arm="pairs", against="single images", margin=0.05),),
        negative=(
            Contrast(metric="mig", arm="shuffled pairs", against="single images", margin=0.05),
        ),
        positive=(Contrast(metric="mig", arm="told", against="single images", margin=0.05),),
    )
)

"""S-VQ-VAE: what the codes of classes say of the classes, and whether labels are needed for it."""

from soberlook.results.verdict import Contrast, Level

from ...claim import Arm, Claim, register
from ...study import Budget

ABOUT = """

16 codes, so that digits has six that no label names, and 16 latents. The commitment was chosen on
seeds 1000 to 1002, of .25, 1, 4, 16, 32 and 64: at the authors' .25, whose norms and reconstruction
are means, half of the images have the nearest code of another class; at 32 seven in a hundred on
class_tree and four on digits. There ρ of S-VQ-VAE was .67 and .81, with random labels .08 and −.15,
of VQ-VAE with the same commitment, which was not chosen for it, .75 and .79, of a plain autoencoder
.74 and .68. A class's code is the median of its images' codes; by chance ρ is 0. The plain
autoencoder, whose codes keep what the images hold, is the positive control. Networks are dense
alone: the images are 8×8 or vectors, too small for convolutions."""
BETTER = {"metric": "class_geometry", "against": "no labels", "margin": 0.05}

SHARED = {
    "arms": {
        "labels": Arm("s_vq_vae", {"commitment": 32}),
        "random labels": Arm("s_vq_vae", {"commitment": 32, "labels": "random"}),
        "no labels": Arm("vq_vae", {"commitment": 32, "codebook": 16}),
        "autoencoder": Arm(
            "nash_ae", {"lambda_cov": 0, "predictor_steps": 1, "predictor_widths": ()}
        ),
    },
    "datasets": ("class_tree", "digits"),
    "networks": {"mlp": 50},
    "fields": {"learning_rate": 1e-3, "latents": 16, "likelihood": "gaussian"},
    "budget": Budget(updates=1_000, batch_size=64),
    "metrics": ("class_geometry", "reconstruction"),
    "positive": (Level(metric="class_geometry", arm="autoencoder", target=0.5, margin=0.0),),
}

S_VQ_VAE = register(
    Claim(
        name="s_vq_vae",
        sentence="Correlations between the codes that are learnt for classes show how the classes "
        "are related.",
        source="Xue, Ding & Lu, arXiv 1909.11124, 2019, results on MNIST and LINCS",
        about="Likeness of classes, in their codes and in their mean images." + ABOUT,
        parts=(
            Level(metric="class_geometry", arm="labels", target=0.5, margin=0.0),
            Contrast(metric="class_geometry", arm="labels", against="random labels", margin=0.2),
        ),
        negative=(Level(metric="class_geometry", arm="random labels", margin=0.2),),
        **SHARED,
    )
)

S_VQ_VAE_LABELS = register(
    Claim(
        name="s_vq_vae_labels",
        sentence="Labels in training make codes of classes that show their relations better than "
        "those of a VQ-VAE without labels do.",
        source="Xue, Ding & Lu, arXiv 1909.11124, 2019, the comparison with VQ-VAE",
        about="Codes of classes with labels against those without." + ABOUT,
        parts=(Contrast(arm="labels", **BETTER),),
        negative=(Contrast(arm="random labels", **BETTER),),
        **SHARED,
    )
)

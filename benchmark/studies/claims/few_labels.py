"""Few labels: what a hundred of them add to a method that has none."""

from soberlook.results.verdict import Contrast

from ...claim import Arm, Claim, register
from ...study import Budget

BETA = {"beta": 1}
HALF = 0.5  # of the updates: every one shows a batch of images and one of labelled images
LABELS = BETA | {"gamma_sup": 10}

FEW_LABELS = register(
    Claim(
        name="few_labels",
        sentence="With a hundred labelled images codes are more disentangled than the same method "
        "makes them without.",
        source="Locatello et al., ICLR 2020, section 4",
        about="""β-VAE with and without the labels of 100 images.

β is 1, because on 256 pixels larger ones leave too few codes for all factors. γ_sup = 10 had the
best MIG of 1, 10 and 100, on mini_sprites and seeds 1000 to 1002. A hundred labels that are all
drawn at random are the negative control, labels of every image the positive one. Of
convolutions 10 seeds, which at an sd of .05 tell means of .1 from .05.""",
        arms={
            "no labels": Arm("beta_vae", BETA),
            "100 labels": Arm("s2_vae", LABELS, share=HALF),
            "100 of noise": Arm("s2_vae", LABELS | {"labeller": "noisy", "wrong": 1.0}, share=HALF),
            "all labels": Arm("s2_vae", LABELS | {"labelled": 0}, share=HALF),
        },
        datasets=("mini_sprites", "mini_solids"),
        networks={"mlp": 50, "conv": 10},
        fields={"learning_rate": 1e-3},
        budget=Budget(updates=2_000, batch_size=64),
        metrics=("mig", "dci_1000", "reconstruction"),
        parts=(
            Contrast(metric="mig", arm="100 labels", against="no labels", margin=0.05),
            Contrast(
                metric="dci_disentanglement_1000",
                arm="100 labels",
                against="no labels",
                margin=0.05,
            ),
        ),
        negative=(
            Contrast(metric="mig", arm="100 of noise", against="no labels", margin=0.05),
            Contrast(
                metric="dci_disentanglement_1000",
                arm="100 of noise",
                against="no labels",
                margin=0.05,
            ),
        ),
        positive=(Contrast(metric="mig", arm="all labels", against="no labels", margin=0.05),),
    )
)

"""sober_look: the study of Locatello et al. (ICML 2019), all of it.

The grid of `unsupervised_study_v1` in the authors' code: 7 datasets × 6 methods × 6 strengths ×
50 seeds, the classes' own sweeps, networks and optimizers, 300,000 updates of 64 images. FactorVAE
has half as many updates there, because its two optimizers share one step counter; a deviation from
the paper's text that is kept here, so that numbers can be compared.
"""

from ..study import Budget, Study, register

SOBER_LOOK = register(
    Study(
        name="sober_look",
        about="""The 12,600 runs of "Challenging Common Assumptions" (Locatello et al., 2019).

Seven datasets, six methods, six strengths, fifty seeds. The paper spent about 2.5 years of a P100;
start with one dataset and a few seeds (--datasets, --seeds).""",
        datasets=(
            "dsprites",
            "dsprites_color",
            "dsprites_noisy",
            "dsprites_scream",
            "smallnorb",
            "cars3d",
            "shapes3d",
        ),
        models=(
            "beta_vae",
            "factor_vae",
            "dip_vae_i",
            "dip_vae_ii",
            "beta_tcvae",
            "annealed_vae",
        ),
        fields={"network": "conv"},
        seeds=tuple(range(50)),
        budget=Budget(updates=300_000, batch_size=64),
        budgets={"factor_vae": Budget(updates=150_000, batch_size=64)},
        metrics=(
            "beta_vae_score",
            "factor_vae_score",
            "mig",
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

"""DirVAE: likelihood, neighbours and collapse of Dirichlet codes, against those of other priors."""

from soberlook.results.verdict import Contrast, Level

from ...claim import Arm, Claim, register
from ...study import Budget

ABOUT = """

20 latents, of which the paper has 50 on images twelve times as large, and its concentration of
.98. The learning rate is, for every prior and dataset, that with the better likelihood of .003
and .01 on seeds 1000 to 1002. There log p(x), by 64 samples, was on digits −23.4 of Gaussian
codes, −26.1 of Dirichlet, −27.0 of logistic-normal and −24.3 of stick-breaking ones, whether of
concentration 1 or 5; on mini_sprites −21.7, −25.6, −22.3, and −22.1 of concentration 1 and
−22.9 of 5. The error by three neighbours was .06, .25, .86, .25 and .22, and .23, .22, .24, .25
and .23. Within a prior the sd was .1 to .5 nats and .00 to .08. With 10 latents and a rate of
.01 Dirichlet codes came closer: −24.1 and −22.9, with errors of .15 and .23. A network that was
never trained had −49 and −182 nats, and errors of .10 and .26: on digits Dirichlet codes were
no match for these. Networks are dense alone: digits are too small for convolutions. There are
20 seeds, as sticks are broken one after the other and slow."""

FASTER = {"mini_sprites": {"learning_rate": 1e-2}}
SHARED = {
    "source": "Joo, Lee, Park & Moon, Pattern Recognition 2020, the experiments on MNIST and "
    "OMNIGLOT",
    "arms": {
        "Dirichlet": Arm("dir_vae", {"concentration": 0.98, "learning_rate": 1e-2}),
        "Gaussian": Arm("beta_vae", {"beta": 1}),
        "logistic-normal": Arm("logistic_normal_vae", on=FASTER),
        "sticks": Arm("sb_vae", {"concentration": 5}, on=FASTER),
        "sticks of 1": Arm("sb_vae", {"concentration": 1}, on=FASTER),
        "untrained": Arm("dir_vae", {"concentration": 0.98, "learning_rate": 0}),
    },
    "datasets": ("digits", "mini_sprites"),
    "networks": {"mlp": 20},
    "fields": {"learning_rate": 3e-3, "latents": 20},
    "budget": Budget(updates=3_000, batch_size=64),
    "metrics": ("iwae", "knn_error", "collapse", "active_units", "reconstruction", "kl"),
}
OTHERS = ("Gaussian", "logistic-normal", "sticks", "sticks of 1")


def likelier(arm, against):
    """Half a nat of log p(x)."""
    return Contrast(metric="iwae_64", arm=arm, against=against, margin=0.5)


def closer(arm, against):
    """One class or value in a hundred that neighbours tell better."""
    return Contrast(metric="knn_error_3", higher=False, arm=arm, against=against, margin=0.01)


DIR_VAE = register(
    Claim(
        name="dir_vae",
        sentence="Dirichlet codes give a better likelihood of images, and codes that tell classes "
        "better by their neighbours, than Gaussian, logistic-normal and stick-breaking ones.",
        about="The bound on log p(x), and nearest neighbours among codes." + ABOUT,
        parts=(
            *(likelier("Dirichlet", other) for other in OTHERS),
            *(closer("Dirichlet", other) for other in OTHERS),
        ),
        negative=(likelier("untrained", "Gaussian"), closer("untrained", "Gaussian")),
        positive=(
            likelier("Gaussian", "untrained"),
            closer("Gaussian", "untrained"),
        ),
        **SHARED,
    )
)

DIR_VAE_COLLAPSE = register(
    Claim(
        name="dir_vae_collapse",
        sentence="Dirichlet codes all stay alive, where values of stick-breaking ones collapse.",
        about="Codes that are alive, and the share of those that are always about 0."
        + ABOUT
        + """

The paper tells two ways to collapse. Here the decoder's weights did so only of logistic-normal
codes on digits, at the rate that is not theirs there: not of Gaussian codes, of which 4 or 5 of 20
were active units, and not at β = 4 and 16, where next to none was. So it could not be shown that
the number sees it, and it is written down but not asked; nor are active units, as parts of a whole
of 20 vary too little to count. Values did not collapse for sticks of concentration 5, either. They
do for those of concentration 1, 13 of 20, by the very shape of their prior: the positive control,
and the negative one of live codes. A network that was never trained has all its codes alive, too:
that codes are told apart from 0 does not say that they are of use: the claim `dir_vae` asks.""",
        parts=(
            Level(metric="live_codes", arm="Dirichlet", target=19, margin=0.0),
            Contrast(
                metric="collapsed_values",
                higher=False,
                arm="Dirichlet",
                against="sticks",
                margin=0.05,
            ),
        ),
        negative=(Level(metric="live_codes", arm="sticks of 1", target=19, margin=0.0),),
        positive=(Level(metric="collapsed_values", arm="sticks of 1", target=0.3, margin=0.0),),
        **SHARED,
    )
)

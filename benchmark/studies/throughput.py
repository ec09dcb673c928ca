"""What `soberlook bench` trains: the study's networks, the methods that differ most in cost."""

from ..bench import Case

NETWORKS = {"conv": "sprites", "mlp": "mini_sprites"}  # and a dataset of their size
MODELS = {
    "beta_vae": {},
    "beta_tcvae": {},
    # Its six layers of 1,000 cost more than the convolutional networks.
    "factor_vae": {},
}
WIDTHS = (1, 8)


def cases(networks=tuple(NETWORKS), models=tuple(MODELS), widths=WIDTHS, **settings) -> list[Case]:
    """The cases, in the order of their cost."""
    return [
        Case(network, model, width, NETWORKS[network], MODELS[model] | settings)
        for network in networks
        for model in models
        for width in widths
    ]

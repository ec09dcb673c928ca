"""What `soberlook bench` trains: the study's networks, and the methods that differ most in cost."""

from ..bench import Case

NETWORKS = {"conv": "sprites", "mlp": "mini_sprites"}  # and a dataset of their size
MODELS = ("beta_vae", "beta_tcvae", "factor_vae")  # factor_vae with six layers of 1,000
WIDTHS = (1, 8)


def cases(networks=tuple(NETWORKS), models=MODELS, widths=WIDTHS, **settings) -> list[Case]:
    """Every combination, with these settings for every model."""
    return [
        Case(network, model, width, NETWORKS[network], settings)
        for network in networks
        for model in models
        for width in widths
    ]

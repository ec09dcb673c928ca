"""The study's networks and three of its methods in plain PyTorch, as its users would write them.

What `soberlook bench` compares with: one model, or a loop over as many as a cohort has, eager and
compiled, images in the order of memory that PyTorch likes best. Batches are gathered from images
that lie ready as floating-point numbers, which is less work than ours.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def contestants(case, images: np.ndarray, ways=("eager", "compiled")):
    """way → run(updates), for all models of a case; images [n, h, w, c] in [0, 1]."""
    channels_last = case.network == "conv"
    data = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    for way in ways:
        yield f"PyTorch {way}", _runner(case, data, channels_last, way == "compiled")


def _runner(case, data, channels_last, compiled):
    torch.manual_seed(0)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    trainers = [TRAINERS[case.model](case, data.shape[1:], layout) for _ in range(case.width)]
    if compiled:
        for trainer in trainers:
            # Compiled once: equal code and shapes share their compiled form.
            trainer.losses = torch.compile(trainer.losses)

    def run(updates):
        for _ in range(updates):
            for trainer in trainers:
                x = data[torch.randint(len(data), (case.batch_size,))]
                trainer.update(x.contiguous(memory_format=layout))

    return run


class BetaVAE:
    """Networks, optimizer and loss of one model."""

    def __init__(self, case, shape, layout, latents=10, rate=1e-4):
        self.latents, self.beta = latents, 4.0
        build = {"conv": conv_networks, "mlp": mlp_networks}[case.network]
        self.encoder, self.decoder = (n.to(memory_format=layout) for n in build(shape, latents))
        parameters = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.adam = torch.optim.Adam(parameters, rate, fused=True)

    def update(self, x):
        self.adam.zero_grad()
        self.losses(x)[0].backward()
        self.adam.step()

    def losses(self, x):
        mean, log_var = self.encoder(x).chunk(2, 1)
        z = mean + torch.exp(log_var / 2) * torch.randn_like(mean)
        logits = self.decoder(z)
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
        kl = 0.5 * (mean**2 + log_var.exp() - log_var - 1).sum() / len(x)
        return reconstruction + self.regularizer(kl, z, mean, log_var), z

    def regularizer(self, kl, z, mean, log_var):
        return self.beta * kl


class BetaTCVAE(BetaVAE):
    def regularizer(self, kl, z, mean, log_var):
        squared = (z[:, None] - mean[None]) ** 2 * torch.exp(-log_var)[None]
        log_density = -0.5 * (squared + log_var[None] + np.log(2 * np.pi))
        log_joint = torch.logsumexp(log_density.sum(2), 1)
        log_marginals = torch.logsumexp(log_density, 1).sum(1)
        return kl + (self.beta - 1) * (log_joint - log_marginals).mean()


class FactorVAE(BetaVAE):
    def __init__(self, case, shape, layout, **settings):
        super().__init__(case, shape, layout, **settings)
        widths = (self.latents, *case.settings.get("discriminator_widths", (1000,) * 6))
        layers = [
            layer
            for i, o in zip(widths[:-1], widths[1:], strict=True)
            for layer in (nn.Linear(i, o), nn.LeakyReLU(0.2))
        ]
        self.discriminator = nn.Sequential(*layers, nn.Linear(widths[-1], 2))
        parameters = self.discriminator.parameters()
        self.adam_discriminator = torch.optim.Adam(parameters, 1e-4, (0.5, 0.9), fused=True)

    def regularizer(self, kl, z, mean, log_var):
        logits = self.discriminator(z)
        return kl + 10 * (logits[:, 0] - logits[:, 1]).mean()

    def update(self, x):
        self.adam.zero_grad()
        loss, z = self.losses(x)
        loss.backward()
        z = z.detach()
        shuffled = torch.stack([column[torch.randperm(len(z))] for column in z.T], 1)
        self.adam_discriminator.zero_grad()
        target = torch.zeros(len(z), dtype=torch.long)
        told = F.cross_entropy(self.discriminator(z), target)
        told_shuffled = F.cross_entropy(self.discriminator(shuffled), target + 1)
        ((told + told_shuffled) / 2).backward()
        self.adam.step()
        self.adam_discriminator.step()


TRAINERS = {"beta_vae": BetaVAE, "beta_tcvae": BetaTCVAE, "factor_vae": FactorVAE}


def conv_networks(shape, latents):
    channels, relu = shape[0], nn.ReLU
    encoder = nn.Sequential(
        *(nn.Conv2d(channels, 32, 4, 2, 1), relu(), nn.Conv2d(32, 32, 4, 2, 1), relu()),
        *(nn.Conv2d(32, 64, 2, 2), relu(), nn.Conv2d(64, 64, 2, 2), relu()),
        *(nn.Flatten(), nn.Linear(1024, 256), relu(), nn.Linear(256, 2 * latents)),
    )
    up = nn.ConvTranspose2d
    decoder = nn.Sequential(
        *(nn.Linear(latents, 256), relu(), nn.Linear(256, 1024), relu()),
        *(nn.Unflatten(1, (64, 4, 4)), up(64, 64, 4, 2, 1), relu(), up(64, 32, 4, 2, 1), relu()),
        *(up(32, 32, 4, 2, 1), relu(), up(32, channels, 4, 2, 1)),
    )
    return encoder, decoder


def mlp_networks(shape, latents):
    pixels, relu = int(np.prod(shape)), nn.ReLU
    encoder = nn.Sequential(
        *(nn.Flatten(), nn.Linear(pixels, 128), relu(), nn.Linear(128, 128), relu()),
        nn.Linear(128, 2 * latents),
    )
    decoder = nn.Sequential(
        *(nn.Linear(latents, 128), relu(), nn.Linear(128, 128), relu(), nn.Linear(128, pixels)),
        nn.Unflatten(1, tuple(shape)),
    )
    return encoder, decoder

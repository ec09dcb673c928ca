"""The study's variants of dSprites, as they are in it: they are there where dSprites is."""

from .dataset import register
from .dsprites import DSprites
from .variants import Abstract, Color, Noisy, NoShape, Scream


@register("dsprites_color")
class DSpritesColor(Color, of=DSprites):
    """Color-dSprites (Locatello et al., 2019): each sprite in a colour of its own."""


@register("dsprites_noisy")
class DSpritesNoisy(Noisy, of=DSprites):
    """Noisy-dSprites (Locatello et al., 2019): noise in every pixel and channel."""


@register("dsprites_scream")
class DSpritesScream(Scream, of=DSprites):
    """Scream-dSprites (Locatello et al., 2019), by default over an astronaut and not The Scream."""


@register("dsprites_noshape")
class DSpritesNoShape(NoShape, of=DSprites):
    """dSprites whose shape is no factor: drawn anew for every image."""


@register("dsprites_abstract")
class DSpritesAbstract(Abstract, of=DSprites):
    """Abstract dSprites (van Steenkiste et al., 2019): colours are factors, orientation is none."""

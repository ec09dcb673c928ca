"""The studies that come with the suite: values, registered under their names."""

from .quick import QUICK
from .sober_look import SOBER_LOOK
from .sober_mini import SOBER_MINI
from .sober_small import SOBER_SMALL

__all__ = ["QUICK", "SOBER_LOOK", "SOBER_MINI", "SOBER_SMALL"]

"""The studies that come with the suite: values, registered under their names."""

from .mini import SOBER_MINI
from .quick import QUICK
from .sober_look import SOBER_LOOK

__all__ = ["QUICK", "SOBER_LOOK", "SOBER_MINI"]

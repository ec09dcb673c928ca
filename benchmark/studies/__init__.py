"""The studies that come with the suite: a value per file, registered under its name."""

from .quick import QUICK

__all__ = ["QUICK"]

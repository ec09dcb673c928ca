"""Names and settings: what models, metrics, datasets and studies share. Knows only Python."""

from .names import BadInput, Registry, unknown
from .settings import check_settings, construct, registering, setting, settings_of, title_of

__all__ = [
    "BadInput",
    "Registry",
    "check_settings",
    "construct",
    "registering",
    "setting",
    "settings_of",
    "title_of",
    "unknown",
]

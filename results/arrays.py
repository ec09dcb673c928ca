"""Arrays by name with a header of text, as bytes: safetensors, of which nothing is executed."""

import json

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

ABOUT = "soberlook"  # the key of our header among safetensors' metadata


def to_bytes(arrays: dict[str, np.ndarray], about: dict) -> bytes:
    """Arrays by name, of any shape, and `about`, which must be JSON."""
    # A view or a Fortran order would be written as it lies in memory.
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    shaped = {name: whole[name].reshape(array.shape) for name, array in arrays.items()}
    return save(shaped, {ABOUT: json.dumps(about)})


def about(content: bytes) -> dict:
    """The header alone. Raises ValueError for bytes that are not ours."""
    try:
        size = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + size])
        found = json.loads(header["__metadata__"][ABOUT])
    except (KeyError, TypeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"not a file of soberlook's: {type(error).__name__}") from None
    if not isinstance(found, dict):
        raise ValueError("not a file of soberlook's: its header is not an object")
    return found


def from_bytes(content: bytes) -> tuple[dict[str, np.ndarray], dict]:
    """What `to_bytes` was given. Raises ValueError for bytes that are not ours, or not whole."""
    header = about(content)
    try:
        return load(content), header
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"not whole: {error}") from None

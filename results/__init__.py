"""What is learnt: the Parquet store, the DataFrame, the figures, the report. Never trains."""

from .frame import load, rows

__all__ = ["load", "rows"]

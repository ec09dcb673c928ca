"""What is learnt: the Parquet store, the DataFrame, the figures, the report. Never trains."""

from .frame import load, rows
from .query import query

__all__ = ["load", "query", "rows"]

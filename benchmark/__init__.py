"""How it runs: study → cohorts → train → evaluate → rows, and the command line."""

import os

# jaxlib 0.10.1 writes two errors, of 700 characters each, for every compiled program that it reads
# from disk: that its compiler's preferences are no features of the processor. Errors that matter
# are raised in Python.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

"""How it runs: study → cohorts → train → evaluate → rows, and the command line."""

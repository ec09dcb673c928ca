#!/bin/bash
# sbatch docs/cluster/slurm.sh, from the root of a checkout with a virtual environment in it
#SBATCH --job-name=soberlook
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --gpus-per-node=1
#SBATCH --time=24:00:00
#SBATCH --requeue
set -euo pipefail
source .venv/bin/activate
export RAY_AUTH_MODE=token
ray get-auth-token --generate > /dev/null # into the home folder, which all nodes see
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
srun ray symmetric-run --address "$head:6379" --min-nodes "$SLURM_NNODES" -- \
    soberlook run sober_look --out "$SCRATCH/sober_look" --ray auto

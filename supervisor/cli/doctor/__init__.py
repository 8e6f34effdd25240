"""`sbctl doctor`: one file per subject; each gathers facts and judges them by functions that look at nothing else."""

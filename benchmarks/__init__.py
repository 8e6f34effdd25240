"""What sbctl costs, beside its peers and the least that is possible, in one run: `python -m benchmarks`."""

"""A soak: a home under random faults for a long while, and a checker that says whether all promises were kept."""

"""What is measured: one file a figure (or two that are taken in the same rounds)."""

"""The ground: clocks, files, processes, the loop and framing. Knows no word of the product."""

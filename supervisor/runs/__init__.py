"""What runs on time: which slots are due, what stands in their way, and the runs that come of them."""

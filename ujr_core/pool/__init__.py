"""The local process pool: workers that survive nothing, and a runner that survives all of them."""

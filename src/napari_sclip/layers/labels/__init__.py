"""A Labels layer: what its ids mean, what was predicted, painted and checked in it."""

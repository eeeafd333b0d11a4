"""A change explained: what changed, what it did, what moved with it, what to doubt, what to try next."""

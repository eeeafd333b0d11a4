"""A network that grows: a host with a slot, seeds that are trained aside, blended in, and kept or thrown out."""

"""How a run is carried out: one loop for all studies."""

"""ICU mortality: ConCare and its missing-aware variant, on stays with what was not measured kept."""

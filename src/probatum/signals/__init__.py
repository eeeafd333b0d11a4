"""What is seen inside a run: collectors, profiles, the probe, snapshots, narratives, comparisons."""

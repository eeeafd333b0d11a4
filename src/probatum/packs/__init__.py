"""Telemetry as episodes: a run as a sequence of observations and interventions, each later judged."""

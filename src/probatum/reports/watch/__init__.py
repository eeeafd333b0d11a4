"""Runs and plans as they go on, from their files alone: in a terminal, or in a browser on this machine."""

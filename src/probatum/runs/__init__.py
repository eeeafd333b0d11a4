"""What a run leaves: its folder, its record, and the proof that both are unchanged. Standard library only."""

"""What a plan can run: any command, or a Probatum study."""

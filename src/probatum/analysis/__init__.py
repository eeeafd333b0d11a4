"""What the runs say: intervals over seeds and paired tests."""

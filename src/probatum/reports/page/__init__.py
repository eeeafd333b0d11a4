"""The report: one HTML file that says what runs gave, why, and whether to believe it."""

"""What people look at: charts, figures, reports."""

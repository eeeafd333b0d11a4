"""The probe inside other people's trainers; the trainer's package is imported with the adapter alone."""

"""The reference studies; `probatum.studies.registry` finds one by name or in a file."""

"""Would it happen again: run a recorded experiment once more and judge it within the recorded tolerances.

Nothing here imports torch, numpy, scipy or pydantic: comparing two runs starts fast and needs no model.
"""

"""Where signals can be shown beside other trackers' numbers: TensorBoard, Weights & Biases, MLflow.

A sink is a callable `sink(signals, metrics=None)`; the packages are imported when a sink is made.
"""

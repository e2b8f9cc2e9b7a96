"""How much of what TensorFlow differentiates is covered, measured on the TensorFlow that is installed."""

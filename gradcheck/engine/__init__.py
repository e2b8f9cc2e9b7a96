"""Our engine: programs evaluated and differentiated on NumPy."""

"""Neural networks: a file per kind of layer."""

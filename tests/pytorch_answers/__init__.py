"""Reference answers, written by PyTorch, and the calls that they answer."""

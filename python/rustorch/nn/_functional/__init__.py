"""Parts of `rustorch.nn.functional`, a module per family."""

"""The functions of `rustorch.nn.functional` whose arguments differ from their ops', by family."""

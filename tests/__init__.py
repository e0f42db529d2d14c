"""What Python sees of RusTorch, tested; helpers are imported as `tests.<module>`."""

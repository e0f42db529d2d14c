"""What attacks the library for as long as one wants; the tests run a few seconds of each, with fixed seeds."""

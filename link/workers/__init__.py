"""The parts of the data worker."""

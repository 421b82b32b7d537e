"""The parts of a Zetta target."""

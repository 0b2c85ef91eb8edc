"""Two coupled transmons: their levels, what pulses on both of their lines do to them, and exact answers for tests."""

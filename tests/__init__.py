"""The tests, and the clusters they run on."""

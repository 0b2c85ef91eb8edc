"""Tasks for tests of what runs tasks: their outcome is what their run parameters say. Never shipped."""

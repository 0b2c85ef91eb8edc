"""The whole of the physics: tasks after tasks on what those before them found."""

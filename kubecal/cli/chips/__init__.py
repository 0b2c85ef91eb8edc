"""``kubecal chip``: chips as lattices, and chips from a lab's files."""

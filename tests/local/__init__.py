"""``kubecal run`` as a person runs it: real processes, the embedded database, signals."""

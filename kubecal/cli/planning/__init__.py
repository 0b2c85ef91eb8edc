"""``kubecal plan``: what a session would do and how long it would take, without running anything."""

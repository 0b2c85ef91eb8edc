"""The verbs that act: all of them declare a session, or change one that runs."""

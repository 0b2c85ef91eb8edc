"""Declarations of the verbs, a file a group; their work is beside this folder and imported when it is called."""

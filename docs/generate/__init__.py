"""Pages that are made of what the code declares: the two kinds, the tasks, the command line.

They are made while the site is built and stand nowhere as files, so they cannot fall behind.
"""

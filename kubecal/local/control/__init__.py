"""How another process speaks with a running session: over a socket in the data folder that only its user can open.

A run listens, and everybody who wants to see or change its sessions connects: another terminal, and the lab of
the very process that runs them, so that there is one way.
"""

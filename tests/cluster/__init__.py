"""A real Kubernetes for the tests: kind with three nodes, and a control plane without nodes.

Everything that has to be built is kept outside the checkout, keyed by versions and content. The modules here need
nothing but the standard library and PyYAML (the control plane needs `cryptography` as well).
"""

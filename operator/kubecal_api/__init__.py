"""``kubecal-api``: the records and figures over HTTP, read-only, for people on a cluster.

It is reached through the API server's service proxy with the user's own kubeconfig: the API server asks who they are,
and who may ``get services/proxy`` on its Service may read. So no client ever holds the MongoDB URI.
:mod:`kubecal_api.service` lists what it answers; the answers are those of :mod:`kubecal.reading`.
"""

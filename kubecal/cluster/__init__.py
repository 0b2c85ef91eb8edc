"""A lab that is a Kubernetes cluster, reached with the user's own kubeconfig.

:mod:`~kubecal.cluster.proxy` is the way there (one ``kubectl proxy`` a command), :mod:`~kubecal.cluster.api` plain
requests over it, :mod:`~kubecal.cluster.records` the records by ``kubecal-api``, :mod:`~kubecal.cluster.lab` the lab.
"""

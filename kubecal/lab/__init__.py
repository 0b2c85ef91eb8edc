"""Where sessions are run and asked about: a cluster, or this computer. With one protocol every verb is written once.

:mod:`kubecal.lab.lab` is the protocol; :mod:`kubecal.cluster` and :mod:`kubecal.local` are the two labs there are.
"""

"""Calibrating from Python: a session that a program or a notebook steers, on a cluster or on this computer.

:mod:`kubecal.service.calibration` is the asynchronous core over :class:`kubecal.lab.Lab`; ``CalibService`` and
``CalibOrchestrator`` wait for it. :mod:`kubecal.service.place` alone knows which labs there are.
"""

"""What people ask of the records, whoever answers: the database itself, or ``kubecal-api`` in front of it.

:mod:`kubecal.reading.answers` are the answers, :mod:`kubecal.reading.records` is who gives them. They are what
``kubecal-api`` says as JSON, what the command line prints with ``-o json`` and what Python sees in a notebook.
"""

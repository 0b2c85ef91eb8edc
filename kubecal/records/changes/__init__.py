"""Changes of records that a session asks for instead of measuring, one a file.

Each looks at what is there and says which writes make the change, or that it is :class:`~.desk.Impossible`. That it is
made once, and in one transaction with the row that tells of it, is :mod:`kubecal.records.actions`' part.
"""

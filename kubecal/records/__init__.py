"""What was planned, claimed, measured and published, in MongoDB.

``control`` is the driver's side (operator or local runner), ``task`` the task pod's, ``reading`` what people
ask. All three stand on ``store``: one client a process, majority writes, bounded waiting, and failures told
in a sentence.
"""

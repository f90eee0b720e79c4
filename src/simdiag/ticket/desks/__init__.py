"""The kinds of desks, one file each; a file here is found by listing (:mod:`..settings`).

A file brings ``Settings``, what a user writes about such a desk, and ``connect(settings)``, which
makes the :class:`~simdiag.ticket.desk.Desk`. The file's name is what ``kind`` says in the settings.
"""

"""Facts about this computer and its ports. Pure reads: no port is opened, no packet is sent.

Everything here tolerates what it may not read (processes of other users, containers without
``/sys``): the answer is then smaller, never an exception.
"""

"""Who used the data: traffic of a modem's link by program, kept and reported.

::

    records     words: owner, label, amount of traffic
    store       the database: what is recorded, when, rolled up, joined over replugs; its schema
    ledger      reads it: rows by program, and what no row explains
    links       the interface's own totals in L3 bytes
    sockets     method `sockets`: socket statistics, no rights needed
    kernel      method `kernel`: counting in the kernel, exact
    forwarding  what is forwarded for other devices, by client; made with nft, netlink
    sharing     what a VPN (tunnels) or a container (namespaces) carried, by who used it
    owners      who a process is
    recorder    puts a method's counts and the totals into the store, interval by interval

All amounts are L3 bytes (IP header and everything in it, no Ethernet or USB framing) and IP packets
as they are on the wire.
"""

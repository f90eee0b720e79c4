"""Method ``kernel``: a BPF program at the root of the cgroup tree counts at the sockets. Exact."""

from simdiag.usage.kernel.meter import KernelMeter

__all__ = ["KernelMeter"]

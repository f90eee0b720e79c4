# Brings the guest up, runs the command that is given, and switches the guest off.
# Sourced by the job that virtual/guest.py writes, which also sets BENCH_RESULTS and BENCH_MODULES.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export TERM=dumb LANG=C.UTF-8

mount -t proc none /proc
mount -t sysfs none /sys
mount -t cgroup2 none /sys/fs/cgroup
mount -t devtmpfs none /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts none /dev/pts
mount -t tmpfs none /dev/shm
mount -t tmpfs none /run
mkdir -p /lib/modules /run/lock
# Root of the guest reads of the host's files only what whoever runs QEMU may read.
mkdir -m 700 /run/home
mkdir -m 1777 /run/tmp
export HOME=/run/home TMPDIR=/run/tmp
mount --bind "$BENCH_MODULES" /lib/modules
mount --bind /mnt "$BENCH_RESULTS" # the same path inside and outside
stty -F /dev/ttyS1 raw -echo
ip link set lo up

modprobe -a configfs libcomposite
mount -t configfs none /sys/kernel/config
modprobe dummy_hcd num=4 # two for each of two workers that share the tests
/lib/systemd/systemd-udevd --daemon
udevadm trigger
udevadm settle
: > /mnt/started

# Through a pipe, so that programs see no terminal and draw no animations.
{
  "$@" < /dev/null 2>&1
  echo $? > /mnt/status
} | cat > /dev/ttyS1
dmesg > /mnt/dmesg.log
sync
busybox poweroff -f

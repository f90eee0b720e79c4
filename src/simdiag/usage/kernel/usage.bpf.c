// SPDX-License-Identifier: Apache-2.0
/*
 * Counts bytes and packets per process, interface, direction, protocol and kind of remote, at the
 * root of the cgroup2 tree. Linux 5.10 or newer. UAPI headers only, so nothing is relocated against
 * the running kernel.
 *
 * The owner of a socket is kept in the socket: a connection that is accepted inherits it from its
 * listener (BPF_F_CLONE), and it goes when the socket goes, the tail after close() included.
 *
 * Bytes are L3 bytes as they are on the wire: a packet that the network stack will segment (or has
 * joined) stands for several packets, each with headers of its own.
 *
 * Most of the time of a packet goes into fetching cache lines. What is counted for one key is a row
 * of an array, in a line of its own, and a socket remembers the row of its last packet each way.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define LOOPBACK_INDEX 1 /* in every network namespace */
#define ROWS 32768
#define CACHE_LINE 64

/* What not every kernel and not every set of capabilities allows; the loader tries the best first.
 * A branch that the verifier knows to be dead may call what this kernel refuses. */
const volatile bool may_name_threads = true;	 /* needs CAP_PERFMON on some kernels */
const volatile bool may_ask_for_namespace = true; /* in cgroup_skb: not before Linux 6.13 or so */

struct owner {
	__u64 namespace; /* cookie of the network namespace */
	__u32 process;	 /* thread group id in the initial pid namespace */
	__u32 user;
	__u32 last[2];	 /* numbers of rows: that of the last packet received, and sent */
};

struct process {
	__u64 cgroup; /* inode number of its cgroup's directory */
	__u32 process;
	__u32 user;
	char name[16]; /* of the thread that made the socket */
};

enum remote { INTERNET, LOCAL, DEVICE };

struct key {
	__u64 namespace; /* 0: not known */
	__u32 process;	 /* 0: no socket, or one whose owner is not known */
	__u32 interface;
	__u8 outgoing;
	__u8 protocol;
	__u8 remote;
	__u8 unused[5];
};

struct amount {
	__u64 bytes;
	__u64 packets;
};

struct row {
	struct key key;
	struct amount amount;
} __attribute__((aligned(CACHE_LINE)));

struct address { /* key of a longest-prefix map; IPv4 as ::ffff:a.b.c.d */
	__u32 prefix;
	__u32 word[4]; /* network byte order */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct owner);
} owners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct process);
} processes SEC(".maps");

struct { /* tells of processes while they still live */
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} born SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ROWS);
	__type(key, __u32);
	__type(value, struct row);
} traffic SEC(".maps");

struct { /* the number of the row for a key */
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, ROWS);
	__type(key, struct key);
	__type(value, __u32);
} rows SEC(".maps");

struct { /* the numbers of rows that have no key; the reader puts them there, the lowest on top */
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, ROWS);
	__type(value, __u32);
} unused SEC(".maps");

struct { /* what found no row: received, sent */
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct amount);
} overflow SEC(".maps");

struct { /* networks and gateways next to the interface; the value is an enum remote */
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 256);
	__type(key, struct address);
	__type(value, __u8);
} nearby SEC(".maps");

/* ---- whose socket it is ------------------------------------------------------------------ */
static __always_inline void announce(__u32 id, __u32 user)
{
	struct process now = { .process = id, .user = user };
	struct process *known = bpf_map_lookup_elem(&processes, &id);

	now.cgroup = bpf_get_current_cgroup_id();
	if (known && known->cgroup == now.cgroup && known->user == user)
		return;
	if (may_name_threads)
		bpf_get_current_comm(now.name, sizeof(now.name));
	bpf_map_update_elem(&processes, &id, &now, BPF_ANY);
	bpf_ringbuf_output(&born, &now, sizeof(now), 0);
}

SEC("cgroup/sock_create")
int on_create(struct bpf_sock *socket)
{
	struct owner owner = {
		.namespace = bpf_get_netns_cookie(socket),
		.process = bpf_get_current_pid_tgid() >> 32,
		.user = (__u32)bpf_get_current_uid_gid(),
	};

	bpf_sk_storage_get(&owners, socket, &owner, BPF_SK_STORAGE_GET_F_CREATE);
	announce(owner.process, owner.user);
	return 1;
}

/* A socket may have been inherited or handed over: it belongs to who uses it. */
static __always_inline int used(struct bpf_sock_addr *context)
{
	__u32 id = bpf_get_current_pid_tgid() >> 32;
	struct bpf_sock *socket = context->sk;
	struct owner *owner;

	if (!socket)
		return 1;
	owner = bpf_sk_storage_get(&owners, socket, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!owner || owner->process == id)
		return 1;
	owner->namespace = bpf_get_netns_cookie(context);
	owner->process = id;
	owner->user = (__u32)bpf_get_current_uid_gid();
	announce(id, owner->user);
	return 1;
}

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr *context)
{
	return used(context);
}

SEC("cgroup/connect6")
int on_connect6(struct bpf_sock_addr *context)
{
	return used(context);
}

SEC("cgroup/sendmsg4")
int on_sendmsg4(struct bpf_sock_addr *context)
{
	return used(context);
}

SEC("cgroup/sendmsg6")
int on_sendmsg6(struct bpf_sock_addr *context)
{
	return used(context);
}

/* ---- where the other end is -------------------------------------------------------------- */
static __always_inline bool within(__u32 address, __u32 network, int bits)
{
	return address >> (32 - bits) == network >> (32 - bits);
}

static __always_inline __u8 look_up(struct address *address)
{
	__u8 *found;

	address->prefix = 128;
	found = bpf_map_lookup_elem(&nearby, address);
	return found ? *found : INTERNET;
}

static __always_inline __u8 remote4(__u32 word)
{
	__u32 address = bpf_ntohl(word);
	struct address mapped = { .word = { 0, 0, bpf_htonl(0xffff), word } };

	if (within(address, 0xa9fe0000, 16) || within(address, 0xe0000000, 3))
		return LOCAL; /* link-local; multicast, reserved, broadcast */
	if (within(address, 0x0a000000, 8) || within(address, 0xac100000, 12) ||
	    within(address, 0xc0a80000, 16) || within(address, 0x64400000, 10))
		return look_up(&mapped); /* private, and shared (RFC 6598): may be an operator's */
	return INTERNET;
}

static __always_inline __u8 remote6(struct address *address)
{
	__u32 first = bpf_ntohl(address->word[0]);

	if (within(first, 0xfe800000, 10) || within(first, 0xff000000, 8))
		return LOCAL; /* link-local, multicast */
	return look_up(address);
}

/* ---- counting ---------------------------------------------------------------------------- */
static __always_inline __u32 *row_of(struct key *key)
{
	__u32 number, *known = bpf_map_lookup_elem(&rows, key);
	struct row *row;

	if (known || bpf_map_pop_elem(&unused, &number))
		return known;
	row = bpf_map_lookup_elem(&traffic, &number);
	if (!row)
		return 0;
	row->key = *key;
	if (bpf_map_update_elem(&rows, key, &number, BPF_NOEXIST)) /* another CPU was faster */
		bpf_map_push_elem(&unused, &number, 0);
	return bpf_map_lookup_elem(&rows, key);
}

static __always_inline bool is_same(struct key *one, struct key *other)
{
	return one->process == other->process && one->remote == other->remote &&
	       one->interface == other->interface && one->protocol == other->protocol &&
	       one->outgoing == other->outgoing && one->namespace == other->namespace;
}

static __always_inline struct amount *amount_of(struct key *key, struct owner *owner)
{
	__u32 direction = key->outgoing, number, *known;
	struct row *row;

	if (owner) {
		number = owner->last[direction];
		row = bpf_map_lookup_elem(&traffic, &number);
		if (row && is_same(&row->key, key)) /* it may have been given to another */
			return &row->amount;
	}
	known = row_of(key);
	if (!known)
		return bpf_map_lookup_elem(&overflow, &direction);
	number = *known;
	row = bpf_map_lookup_elem(&traffic, &number);
	if (owner)
		owner->last[direction] = number;
	return row ? &row->amount : 0;
}

static __always_inline int count(struct __sk_buff *packet, bool outgoing)
{
	struct key key = { .outgoing = outgoing, .interface = packet->ifindex };
	struct owner *owner = 0;
	struct bpf_sock *socket;
	struct amount *amount;
	struct address far = {};
	__u8 *header = (void *)(long)packet->data, *end = (void *)(long)packet->data_end;
	__u8 offset = 0;
	__u32 l3, l4 = 0, segments = packet->gso_segs;

	/* The stack has made sure that the IP header is here. */
	if (packet->ifindex == LOOPBACK_INDEX || header + 20 > end)
		return 1;
	if (header[0] >> 4 == 4) {
		l3 = (header[0] & 15) * 4;
		key.protocol = header[9];
		key.remote = remote4(*(__u32 *)(header + (outgoing ? 16 : 12)));
	} else {
		if (header + 40 > end)
			return 1;
		__builtin_memcpy(far.word, header + (outgoing ? 24 : 8), 16);
		l3 = 40;
		key.protocol = header[6];
		key.remote = remote6(&far);
	}
	if (segments > 1 && key.protocol == IPPROTO_TCP) {
		bpf_skb_load_bytes(packet, l3 + 12, &offset, 1);
		l4 = (offset >> 4) * 4;
	} else if (segments > 1 && key.protocol == IPPROTO_UDP) {
		l4 = 8;
	} else {
		segments = 1;
	}

	socket = packet->sk;
	if (socket)
		socket = bpf_sk_fullsock(socket);
	if (socket)
		owner = bpf_sk_storage_get(&owners, socket, 0, 0);
	if (owner) {
		key.process = owner->process;
		key.namespace = owner->namespace;
	} else if (may_ask_for_namespace) {
		key.namespace = bpf_get_netns_cookie(packet);
	}

	amount = amount_of(&key, owner);
	if (amount) { /* atomic: other CPUs and interrupts count for the same key */
		__sync_fetch_and_add(&amount->bytes, packet->len + (segments - 1) * (l3 + l4));
		__sync_fetch_and_add(&amount->packets, segments);
	}
	return 1;
}

SEC("cgroup_skb/ingress")
int on_receive(struct __sk_buff *packet)
{
	return count(packet, false);
}

SEC("cgroup_skb/egress")
int on_send(struct __sk_buff *packet)
{
	return count(packet, true);
}

const char _license[] SEC("license") = "Apache-2.0"; /* no helper above is for GPL programs only */
const char _compiler[] SEC("compiler") = __VERSION__;

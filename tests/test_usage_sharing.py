"""Traffic that is shared out: sums stay as they were counted, whatever the shares are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simdiag.usage.records import Amount, Method, Remote, total
from simdiag.usage.sharing import _SLACK, Flow, Settlement, share, through_tunnel

counts = st.integers(0, 1 << 40)
octets = st.builds(
    lambda packets, each: (packets, packets * each), st.integers(0, 1 << 20), st.integers(20, 1500)
)
amounts = st.builds(lambda r, t: Amount(r[1], t[1], r[0], t[0]), octets, octets)
flows = st.builds(Flow, st.integers(1, 5), st.sampled_from(["tcp", "udp"]), st.sampled_from(Remote))
DAEMON = Flow(9, "udp", Remote.INTERNET)


@given(amounts, st.dictionaries(st.integers(), amounts, max_size=8))
def test_the_parts_are_the_whole(amount: Amount, weights: dict[int, Amount]) -> None:
    parts = share(amount, weights)
    everybody = total(weights.values()).fields()
    expected = [n if weight else 0 for n, weight in zip(amount.fields(), everybody, strict=True)]
    assert list(total(parts.values()).fields()) == expected
    for key, part in parts.items():
        exact = [
            n * w / (e or 1)
            for n, w, e in zip(expected, weights[key].fields(), everybody, strict=True)
        ]
        assert all(abs(a - b) <= 1 for a, b in zip(part.fields(), exact, strict=True))


@given(st.dictionaries(flows, amounts, max_size=3), st.dictionaries(flows, amounts, max_size=5))
def test_a_tunnels_users_and_its_owner_have_what_the_owner_carried(
    carried: dict[Flow, Amount], inside: dict[Flow, Amount]
) -> None:
    found = list(through_tunnel(carried, inside))
    assert total(amount for _, _, amount in found) == total(carried.values())
    assert all(min(amount.fields()) >= 0 for _, _, amount in found)
    users = {flow.process for flow in inside}
    assert all(flow.process in users for flow, method, _ in found if method is Method.SHARES)


def test_a_tunnel_is_shared_by_what_went_through_it() -> None:
    inside = {
        Flow(1, "tcp", Remote.INTERNET): Amount(3_000_000, 30_000, 3000, 600),
        Flow(2, "udp", Remote.INTERNET): Amount(1_000_000, 10_000, 1000, 200),
    }
    carried = {DAEMON: Amount(4_240_000, 88_000, 4000, 800)}
    found = {flow: (method, amount) for flow, method, amount in through_tunnel(carried, inside)}
    assert found == {
        Flow(1, "udp", Remote.INTERNET): (Method.SHARES, Amount(3_180_000, 66_000, 3000, 600)),
        Flow(2, "udp", Remote.INTERNET): (Method.SHARES, Amount(1_060_000, 22_000, 1000, 200)),
    }


def test_the_owner_keeps_what_cannot_have_been_its_users() -> None:
    inside = {Flow(1, "icmp", Remote.INTERNET): Amount(84, 84, 1, 1)}
    carried = {DAEMON: Amount(50_000_000, 500_000, 40_000, 9_000)}
    found = {flow: amount for flow, _, amount in through_tunnel(carried, inside)}
    assert found[Flow(1, "udp", Remote.INTERNET)].rx_bytes == 84 + 128
    assert found[DAEMON].rx_bytes == 50_000_000 - 84 - 128


def test_without_users_all_is_the_owners() -> None:
    carried = {DAEMON: Amount(100, 100, 1, 1)}
    assert list(through_tunnel(carried, {})) == [(DAEMON, Method.KERNEL, Amount(100, 100, 1, 1))]


# ---- other network namespaces ------------------------------------------------------------
@given(st.lists(st.tuples(amounts, st.dictionaries(flows, amounts, max_size=3)), max_size=6))
def test_no_more_is_charged_than_was_forwarded(
    turns: list[tuple[Amount, dict[Flow, Amount]]],
) -> None:
    settlement = Settlement()
    charged, forwarded = Amount(), Amount()
    for seen, wanted in turns:
        parts, _, rest = settlement.settle(seen, wanted)
        assert min(rest.fields()[:2]) >= 0
        charged += total(parts.values()) + rest
        forwarded += seen
        assert charged.rx_bytes <= forwarded.rx_bytes + _SLACK
        assert charged.tx_bytes <= forwarded.tx_bytes + _SLACK
    idle = [settlement.settle(Amount(), {})[2] for _ in range(2)]
    charged += total(idle)
    assert charged.rx_bytes >= forwarded.rx_bytes  # nothing is kept for ever
    assert charged.tx_bytes >= forwarded.tx_bytes


def test_what_two_counters_see_at_different_moments_is_exact() -> None:
    settlement, flow = Settlement(), Flow(1, "tcp", Remote.INTERNET)
    one = {flow: Amount(900_000, 0, 600, 0)}
    for seen in (Amount(1_000_000, 0, 700, 0), Amount(800_000, 0, 500, 0)):
        assert settlement.settle(seen, one) == (one, Method.KERNEL, Amount())


def test_what_a_container_exchanged_elsewhere_is_not_charged() -> None:
    settlement = Settlement()
    wanted = {
        Flow(1, "tcp", Remote.INTERNET): Amount(30_000_000, 0, 20_000, 0),
        Flow(2, "tcp", Remote.INTERNET): Amount(10_000_000, 0, 10_000, 0),
    }
    parts, method, rest = settlement.settle(Amount(20_000_000, 0, 15_000, 0), wanted)
    assert method is Method.SHARES
    assert [part.rx_bytes for part in parts.values()] == [15_000_000, 5_000_000]
    assert rest == Amount()


def test_what_no_process_there_explains_is_the_clients() -> None:
    settlement = Settlement()
    seen = Amount(5_000, 0, 5, 0)
    assert settlement.settle(seen, {})[2] == Amount()  # the processes' count may be late
    assert settlement.settle(Amount(), {})[2] == seen

"""Measures what the frame proxy costs a producer, against the same link without it.

    python benchmarks/frame_proxy.py [--messages 50000] [--rounds 5]

Both go through Toxiproxy; the one slot is led through the frame proxy as well, with a rule armed
that counts every Produce request and catches none. "batched" is a usual producer; "single" sends
one message a request, so that the work goes by frames and not by bytes.
"""

import argparse
import os
import statistics

from confluent_kafka import Producer

from harness.clock import monotonic_s
from harness.lab.frames.rules import FrameRule
from harness.lab.local import LocalLab, start_local_lab
from harness.lab.values import NODES, Link, TopicSpec
from harness.provision.parts import provide

TOPIC = "frame-proxy"
LED, STRAIGHT = 1, 2
PRODUCE = 0
PAYLOAD = b"x" * 200
MODES = {"batched": {"linger.ms": 5}, "single": {"linger.ms": 0, "batch.num.messages": 1}}
SINGLE_SHARE = 20
FLUSH_S = 120.0


def main() -> None:
    """Print one line for each mode: messages a second with and without, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=50_000, help="for each round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    parts = provide(progress=print)
    print(f"load average at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with start_local_lab(parts) as lab:
        lab.cluster.create_topics(
            [TopicSpec(name=TOPIC, partitions=3, replication_factor=3, config={})]
        )
        lab.frames.lead(
            Link(plane="client", source=f"slot{LED}", target=str(node)) for node in NODES
        )
        rule = lab.frames.arm(
            FrameRule(slot=LED, nodes=NODES, api_key=PRODUCE, nth=1_000_000_000, count=1)
        )
        for mode in MODES:
            count = options.messages if mode == "batched" else options.messages // SINGLE_SHARE
            _compare(lab, mode, messages=count, rounds=options.rounds)
        print(f"the proxy saw {lab.frames.look(rule).seen} Produce requests")
        print(f"its memory: {lab.frames.server.memory_bytes() / 1e6:.0f} MB")


def _compare(lab: LocalLab, mode: str, *, messages: int, rounds: int) -> None:
    """Take turns, so that both meet the same machine."""
    _produce(lab, LED, mode, messages=messages // 5)  # what is done for the first time is slow
    took: dict[int, list[float]] = {LED: [], STRAIGHT: []}
    for _ in range(rounds):
        for slot, seconds in took.items():
            seconds.append(_produce(lab, slot, mode, messages=messages))
    led, straight = (messages / statistics.median(took[slot]) for slot in (LED, STRAIGHT))
    print(
        f"{mode}: {messages} messages of {len(PAYLOAD)} B, acks=all, median of {rounds}: "
        f"{led:.0f}/s through the frame proxy, {straight:.0f}/s without, ratio {led / straight:.2f}"
    )


def _produce(lab: LocalLab, slot: int, mode: str, *, messages: int) -> float:
    producer = Producer(
        {
            "bootstrap.servers": lab.bootstrap(slot),
            "acks": "all",
            "enable.idempotence": True,
            "log_level": 0,
            "queue.buffering.max.messages": 2 * messages,
            **MODES[mode],
        }
    )
    producer.list_topics(TOPIC, timeout=10)
    began = monotonic_s()
    for _ in range(messages):
        producer.produce(TOPIC, PAYLOAD)
    if producer.flush(FLUSH_S):
        raise SystemExit(f"{mode}: not every message was acknowledged within {FLUSH_S:g} s")
    return monotonic_s() - began


if __name__ == "__main__":
    main()

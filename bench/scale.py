"""Simulate 1 to 100 equal replicas under bursty load, and compute what a million predictions and the store cost.

Nothing is measured here: the service times are measured ones (scale_model.py), and prices are assumptions, which stand
in the code below. Takes under a minute, and gives the same tables each time.

Run: make bench-scale
"""

import argparse
from collections.abc import Callable, Iterator
from typing import Final

from report import markdown
from scale_model import MAX_QUEUED_REQUESTS, Balancer, Fleet, Outcome, Traffic, bursts, day, even, poisson, simulate

# Assumptions of 2026-11-29: a machine with 2 virtual cores by the hour; requests to Amazon S3 Standard, as its list has
# them for us-east-1.
MACHINE_USD_PER_HOUR: Final = 0.04
GET_USD: Final = 0.0004 / 1_000
PUT_USD: Final = 0.005 / 1_000  # also of a listing; a removal costs nothing
# Of the design: how often a replica looks for a commit of others.
LOOKS_PER_S: Final = 1.4
# Requests of an operation: GET, and PUT or LIST (bench/store_requests.py).
OPERATIONS: Final = {
    "start of a server": (16, 14),
    "first predict of a classifier on a server": (2, 0),
    "train a classifier, with job and audit trail": (3, 13),
    "promote or delete, with audit trail": (3, 3),
}
PREDICTIONS_PER_DAY: Final = 10**9
PEAK: Final = 1.6
LOAD: Final = 0.7

Line = tuple[str, ...]
# Takes requests a second, how many requests, and a seed.
Make = Callable[[float, int, int], Traffic]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Simulate replicas and compute costs (bench/README.md).")
    parser.add_argument("--seconds", type=float, default=40, help="simulated for each line of a table [40]")
    parser.add_argument("--replicas", default="1,3,10,30,100", help="how many, with commas between [1,3,10,30,100]")
    options = parser.parse_args()
    seconds, fleets = options.seconds, [*map(int, options.replicas.split(","))]
    capacity = saturation()
    show("The model beside the measurements", ("one replica, mixed lengths", "model", "measured"), check(capacity))
    columns = ("load of the fleet", *(f"{each} replicas" if each > 1 else "1 replica" for each in fleets))
    show("Independent requests: p50 / p99 in ms (refused)", columns, by_load(poisson, capacity, fleets, seconds))
    show("Bursts: p50 / p99 in ms (refused)", columns, by_load(bursts, capacity, fleets, seconds))
    show(
        "Balancers, 10 replicas: p50 / p99 in ms (refused)",
        ("load", "traffic", "least connections", "round robin"),
        by_balancer(capacity, seconds),
    )
    show(
        "A day in fast motion, 10 replicas: p50 / p99 in ms (refused)",
        ("mean load", "load at the peak", "answers"),
        by_day(capacity, seconds),
    )
    show("What predictions cost", ("load", "predictions/s by replica", "USD for a million"), prices(capacity))
    show("What the store costs", ("operation", "GET", "PUT, LIST", "USD"), store_prices())
    show("A billion predictions a day", ("", ""), plan(capacity))


def saturation(count: int = 40_000) -> float:
    """Return the texts of mixed lengths that one replica answers in a second while more wait."""
    traffic = even(10_000, count, 0)
    return count / simulate(traffic, Fleet(1, max_queued=count)).until_ms * 1_000


def check(capacity: float) -> Iterator[Line]:
    """Compare the model with what was measured; those figures include the load generator, on the same cores."""
    yield "most texts/s", f"{capacity:.0f}", "259 (chosen to fit)"
    idle, busy = (simulate(even(rate, count, 1), Fleet(1)) for rate, count in ((20, 5_000), (181, 40_000)))
    yield "p50 at 20 texts/s", f"{idle.percentile(50):.1f} ms", "6.6 ms"
    yield "p50 at 181 texts/s", f"{busy.percentile(50):.1f} ms", "20.4 ms"
    yield "p99 at 181 texts/s", f"{busy.percentile(99):.1f} ms", "80.2 ms"
    short = simulate(even(10_000, 20_000, 1, tokens=12), Fleet(1, max_queued=20_000))
    yield "most texts/s, all of 12 tokens", f"{20_000 / short.until_ms * 1_000:.0f}", "441"


def by_load(make: Make, capacity: float, fleets: list[int], seconds: float) -> Iterator[Line]:
    """Simulate fleets of several sizes at several loads; the bursts come at the same times for each size."""
    for load in (0.3, 0.5, 0.7, 0.9):
        outcomes = [answers(traffic_of(make, load, capacity, fleet, seconds), fleet) for fleet in fleets]
        yield (f"{load:.0%}", *outcomes)


def by_balancer(capacity: float, seconds: float, fleet: int = 10) -> Iterator[Line]:
    """Compare ways to choose a replica."""
    for load in (0.3, 0.7, 0.9):
        for name, make in (("independent", poisson), ("bursts", bursts)):
            traffic = traffic_of(make, load, capacity, fleet, seconds)
            yield (
                f"{load:.0%}",
                name,
                answers(traffic, fleet, "least connections"),
                answers(traffic, fleet, "round robin"),
            )


def by_day(capacity: float, seconds: float, fleet: int = 10) -> Iterator[Line]:
    """Simulate a day, whose peak is 1.6 times its mean."""
    for load in (0.4, 0.5, 0.6, 0.7):
        yield f"{load:.0%}", f"{load * PEAK:.0%}", answers(traffic_of(day, load, capacity, fleet, seconds), fleet)


def traffic_of(make: Make, load: float, capacity: float, fleet: int, seconds: float) -> Traffic:
    """Return the traffic that loads a fleet to a share of what it can take."""
    rate = load * capacity * fleet
    return make(rate, int(rate * seconds), 7)


def answers(traffic: Traffic, fleet: int, balancer: Balancer = "least connections") -> str:
    """Return how fast a fleet answers, and what it refuses."""
    return told(simulate(traffic, Fleet(fleet, balancer)))


def told(outcome: Outcome) -> str:
    """Return a cell of a table."""
    refused = f" ({outcome.refused_share:.1%})" if outcome.refused else ""
    return f"{outcome.percentile(50):.0f} / {outcome.percentile(99):.0f}{refused}"


def usd_per_million(rate: float) -> float:
    """Return what a million predictions cost at so many a second on one machine."""
    return MACHINE_USD_PER_HOUR / 3_600 / rate * 10**6


def prices(capacity: float) -> Iterator[Line]:
    """Return what predictions cost by load."""
    for load in (0.3, 0.5, LOAD, 0.9):
        rate = load * capacity
        yield f"{load:.0%}", f"{rate:.0f}", f"{usd_per_million(rate):.3f}"
    yield "texts that came before, 3,445/s at most, 70%", f"{LOAD * 3_445:.0f}", f"{usd_per_million(LOAD * 3_445):.4f}"


def store_prices() -> Iterator[Line]:
    """Return what operations cost."""
    month = LOOKS_PER_S * 86_400 * 30
    yield "an idle replica, 30 days", f"{month:,.0f}", "0", f"{month * GET_USD:.2f}"
    for what, (gets, puts) in OPERATIONS.items():
        yield f"1,000 times: {what}", f"{gets * 1_000:,}", f"{puts * 1_000:,}", f"{1_000 * price(gets, puts):.3f}"


def price(gets: float, puts: float) -> float:
    """Return what requests cost, in USD."""
    return gets * GET_USD + puts * PUT_USD


def plan(capacity: float) -> Iterator[Line]:
    """Return what a billion predictions of new texts a day take."""
    mean = PREDICTIONS_PER_DAY / 86_400
    replicas = -(-mean * PEAK // (LOAD * capacity))
    looks = replicas * LOOKS_PER_S
    yield "predictions a second, mean", f"{mean:,.0f}"
    yield f"... at the peak, {PEAK} times the mean", f"{mean * PEAK:,.0f}"
    yield f"replicas of 2 cores, at {LOAD:.0%} of what they take at the peak", f"{replicas:.0f}"
    yield "their machines, USD a day", f"{replicas * 24 * MACHINE_USD_PER_HOUR:.0f}"
    yield "... as many as the hour needs, USD a day", f"{mean / (LOAD * capacity) * 24 * MACHINE_USD_PER_HOUR:.0f}"
    yield "their looks at the store, requests a second", f"{looks:.0f}"
    yield "... USD a day", f"{looks * 86_400 * GET_USD:.2f}"
    yield (
        f"requests that a full fleet holds in its queues, {MAX_QUEUED_REQUESTS} each",
        (f"{replicas * MAX_QUEUED_REQUESTS:,.0f}, {MAX_QUEUED_REQUESTS / capacity:.1f} s of work"),
    )


def show(title: str, columns: Line, lines: Iterator[Line]) -> None:
    """Print a table."""
    print(f"{title}:\n\n{markdown(columns, list(lines))}\n", flush=True)


if __name__ == "__main__":
    main()

"""The tables of ``make bench-taps``."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import report

if TYPE_CHECKING:
    from collections.abc import Iterable

_LEAST_PAIR = 2


def line(result: dict[str, Any]) -> str:
    """A result for a terminal."""
    rate = result["records"] / result["cpu_s"]
    late = f"  {result['wall_s'] / result['server_s']:.2f} x the server" if result["delay_ms"] else ""
    return (
        f"{result['subject']:<50}{result['records']:>10,}{result['cpu_s']:>8.2f} s CPU{rate:>9,.0f} /CPU s"
        f"{result['wall_s']:>8.1f} s{result['peak_mb']:>6.0f} MB{late}"
    )


def write(
    results: list[dict[str, Any]],
    empty: list[dict[str, Any]],
    absent: dict[str, str],
    command: str,
    load: float,
) -> None:
    """Write the results, and the README's tables from them."""
    report.RESULTS.mkdir(exist_ok=True)
    report.dump("taps.json", [*results, *empty])
    head = f"{report.today()}, `{command}`, {report.machine()}. Load average before: {load:.2f}."
    parts = [head, "", *_rates(results), "", *_late(results), "", *_empty(empty)]
    parts += [f"- {name} did not run: {report.first_line(reason)}" for name, reason in absent.items()]
    report.between(report.README, "taps", "\n".join(parts).rstrip())


def _rates(results: Iterable[dict[str, Any]]) -> list[str]:
    lines = [
        "| subject | stream | records | CPU s | records a CPU s | without its start | wall s | peak MB | first request s |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    prompt = [each for each in results if not each["delay_ms"]]
    for _, group in groupby(prompt, key=lambda each: each["subject"]):
        sizes = list(group)
        for each in sizes:
            more = ""
            if each is sizes[-1] and len(sizes) >= _LEAST_PAIR:
                cpu = each["cpu_s"] - sizes[0]["cpu_s"]
                more = f"{(each['records'] - sizes[0]['records']) / cpu:,.0f}" if cpu > 0 else ""
            name = f"**{each['subject']}**" if each["subject"].startswith("tap-") else each["subject"]
            lines.append(
                f"| {name} | `{each['stream']}` | {each['records']:,} | {each['cpu_s']:,.1f} |"
                f" {each['records'] / each['cpu_s']:,.0f} | {more} | {each['wall_s']:,.1f} |"
                f" {each['peak_mb']:,.0f} | {each['first_request_s']:.2f} |"
            )
    return lines


def _late(results: Iterable[dict[str, Any]]) -> list[str]:
    late = [each for each in results if each["delay_ms"]]
    if not late:
        return []
    return [
        f"A server that takes {late[0]['delay_ms']} ms a request:",
        "",
        "| subject | records | requests | wall s | the server's own s | wall over the server's |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {each['subject']} | {each['records']:,} | {each['requests']:,} | {each['wall_s']:,.1f} |"
            f" {each['server_s']:,.1f} | {each['wall_s'] / each['server_s']:.2f} |"
            for each in late
        ),
    ]


def _empty(results: list[dict[str, Any]]) -> list[str]:
    if not results:
        return []
    return [
        f"All streams of two companies with nothing new, the sandbox at {results[0]['delay_ms']} ms a request:",
        "",
        "| subject | records | requests | wall s | CPU s | of the first |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {each['subject']} | {each['records']:,} | {each['requests']:,} | {each['wall_s']:,.1f} |"
            f" {each['cpu_s']:,.1f} | {each['wall_s'] / results[0]['wall_s']:.2f} |"
            for each in results
        ),
        "",
    ]

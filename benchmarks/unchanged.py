"""Does a change of the code change anything that users rely on? Hashes of outputs, old and new.

    python benchmarks/unchanged.py               # compare with benchmarks/unchanged.json
    python benchmarks/unchanged.py search play   # the same, these areas only
    python benchmarks/unchanged.py --write FILE  # write the hashes of the code that is installed

Instances, suites, schedules of every solver, trajectories of the environments, decisions of the
shipped policy, short training runs and the JSON of the commands (`outputs/` has a file for each)
are made anew through the public interface alone, so that the same script runs on the code before
and after. It takes two to three minutes once the kernels are compiled; where a kernel was edited
that another file calls, run ``make clean-cache`` first. Exit status 1 when an entry differs or is
gone; what is new is told and does no harm, since every key of a document has a hash of its own.

An entry has two hashes, the first 16 digits of a SHA-256 each: of the exact bits, and of the same
with numbers in single precision, where what is below 1e-9 counts as 0. The first holds on one kind
of machine: the logarithms of NumPy and of the C library differ in the last bit between processors.
The second holds on all, for a difference of 1e-15 crosses a boundary of single precision once in
tens of millions of values. ``tests/test_unchanged.py`` compares that one, in the areas that are
quick and where no random search amplifies the last bit. (With AVX2, AVX-512 and FMA switched off,
one exact hash differed, training not counted: that of a quantile of a bootstrap.)

Wall times and versions are left out. So is what the clock decides: every solver runs without a time
limit, and `mip` starts from `greedy`, since its default start is annealing cut after a second.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from outputs import AREAS, Entries, collect

COMMITTED = Path(__file__).with_suffix(".json")


class Comparison(NamedTuple):
    """What became of the hashes of an area: full names, sorted.

    Attributes:
        differing: Those whose values differ.
        rounded: Those whose values differ in the last digits only.
        gone: Those that are no longer there.
        new: Those that were not there.
    """

    differing: list[str]
    rounded: list[str]
    gone: list[str]
    new: list[str]

    @property
    def same(self) -> bool:
        """Whether all that was there is there as it was."""
        return not (self.differing or self.rounded or self.gone)

    def lines(self) -> Iterator[str]:
        """What to tell of each."""
        verdicts = ("differs", "differs in the last digits", "gone", "new")
        for verdict, names in zip(verdicts, self, strict=True):
            for name in names:
                yield f"{name}: {verdict}"


def compare(area: str, old: Entries, new: Entries) -> Comparison:
    """Sets the hashes of an area side by side."""
    before, after = flat(area, old), flat(area, new)
    changed = sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
    rounded = [name for name in changed if before[name].split()[1] == after[name].split()[1]]
    return Comparison(
        differing=[name for name in changed if name not in rounded],
        rounded=rounded,
        gone=sorted(before.keys() - after.keys()),
        new=sorted(after.keys() - before.keys()),
    )


def flat(area: str, entries: Entries) -> dict[str, str]:
    """The hashes of an area by full name."""
    return {
        f"{area}: {entry}: {column}": hashed
        for entry, columns in entries.items()
        for column, hashed in columns.items()
    }


def committed() -> dict[str, Entries]:
    """The hashes that are committed, by area."""
    areas: dict[str, Entries] = json.loads(COMMITTED.read_text(encoding="utf-8"))
    return areas


def timed(area: str) -> Entries:
    """The entries of an area, made anew; tells how long that took."""
    started = time.perf_counter()
    entries = collect(area)
    count, seconds = len(flat(area, entries)), time.perf_counter() - started
    print(f"{area}: {count:,} hashes in {seconds:.1f} s", file=sys.stderr)
    return entries


def check(area: str) -> bool:
    """Compares an area with what is committed and tells what differs; whether nothing does."""
    try:
        found = timed(area)
    except Exception:
        traceback.print_exc()
        print(f"{area}: could not be made")
        return False
    result = compare(area, committed().get(area, {}), found)
    for line in result.lines():
        print(line)
    return result.same


def as_text(areas: Mapping[str, Entries]) -> str:
    """JSON with one entry a line."""

    def line(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    blocks = []
    for area, entries in areas.items():
        rows = ",\n".join(f"  {line(entry)}: {line(entries[entry])}" for entry in sorted(entries))
        blocks.append(f" {line(area)}: {{\n{rows}\n }}")
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("areas", nargs="*", metavar="AREA", help=", ".join(AREAS))
    parser.add_argument("--write", type=Path, metavar="FILE")
    args = parser.parse_args()
    unknown = sorted(set(args.areas) - set(AREAS))
    if unknown:
        parser.error(f"no area {unknown[0]}; there are {', '.join(AREAS)}")
    areas = args.areas or list(AREAS)
    if args.write is not None:
        args.write.write_text(as_text({area: timed(area) for area in areas}), encoding="utf-8")
        return
    same = [check(area) for area in areas]
    print("nothing differs" if all(same) else "something differs")
    sys.exit(not all(same))


if __name__ == "__main__":
    main()

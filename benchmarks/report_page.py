"""How long the report takes and how large it is, on books of shares that walk at random.

python benchmarks/report_page.py            14 (the sample), 50 and 500 positions; kernels are compiled first
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from rpmcore.adapters.configuration.loading import load_settings
from rpmcore.report_job import make_report
from tests.report.pages import write_synthetic_book

POSITIONS = (50, 500)
DAYS = 1500


def measured(book: Path | None) -> str:
    """Return wall and processor time of one report, and its size."""
    settings = load_settings(None, ("factors.unknown=estimate",))
    wall, processor = time.perf_counter(), time.process_time()
    made = make_report(book, settings=settings)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return f"{wall:6.2f} s ({processor:6.2f} s of processors), {len(made.page) / 1000:6,.0f} kB"


def main() -> None:
    """Print a line for each book."""
    make_report()
    print(f"{'sample':>14} {measured(None)}")
    for n in POSITIONS:
        with TemporaryDirectory() as folder:
            book = write_synthetic_book(Path(folder), n, n_days=DAYS)
            print(f"{n:4} positions {measured(book)}")


if __name__ == "__main__":
    main()

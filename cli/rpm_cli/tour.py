"""What ``rpm demo`` shows, step by step: the question, the command a user would type, and what to see in its answer."""

from dataclasses import dataclass

LEDGER = "tour.ledger"
REJECTED = 3

_ORDER = ("--strategy", "core_equity", "--ledger", LEDGER, "--at")
_WHO = ("--operator", "A. Visitor", "--reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A paragraph of an answer that is worth a look.

    Attributes
    ----------
    begins
        How its first line begins.
    lines
        How many of its lines are shown at most.
    only
        Words of which one stands in each line that is shown below the table's heading; empty for every line.
    """

    begins: str
    lines: int = 20
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A command without ``rpm`` before it, the parts of its answer that are shown, and the exit code it ends with."""

    arguments: tuple[str, ...]
    parts: tuple[Part, ...]
    code: int = 0

    @property
    def records(self) -> bool:
        """Whether it works on the ledger of the tour."""
        return LEDGER in self.arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A question, what answers it, and what to see in the answer."""

    title: str
    asks: str
    calls: tuple[Call, ...]
    see: str


STEPS = (
    Step(
        title="What can this book lose?",
        asks="The sample book holds equities and currencies for three strategies. How much does it swing, and what "
        "does a bad day cost?",
        calls=(Call(arguments=("evaluate",), parts=(Part(begins="Volatility"), Part(begins="VaR and CVaR"))),),
        see="VaR is what one day in twenty (0.95) or in a hundred (0.99) exceeds; CVaR is the mean loss of those "
        "days. Several methods stand side by side, with the interval that each leaves open.",
    ),
    Step(
        title="Does it keep its limits?",
        asks="Every number that judges a book is a setting. Here the desk allows less VaR than by default.",
        calls=(
            Call(
                arguments=("evaluate", "--set", "limits.value_at_risk=0.015"),
                parts=(Part(begins="Limits"),),
            ),
        ),
        see="Each limit has an observed value, a share that is used, and a verdict; VaR is now in breach. With a book "
        "of your own and --check the exit code is 3, so that a nightly job can stop on it.",
    ),
    Step(
        title="What would Lehman have cost?",
        asks="The crisis of 2008 comes over today's book: prices fall, volatility and correlation rise, markets dry "
        "up.",
        calls=(
            Call(
                arguments=("stress", "--scenario", "lehman2008"),
                parts=(Part(begins="Scenario"), Part(begins="Lehman Brothers", lines=7)),
            ),
        ),
        see="The loss as a share of capital, what getting out costs and how many days it takes, and which positions "
        "lose it. `rpm scenarios show lehman2008` says where every figure comes from.",
    ),
    Step(
        title="Where does the risk come from?",
        asks="Positions that look different can be one bet. Which factors move the book?",
        calls=(Call(arguments=("exposure",), parts=(Part(begins="Risk by factor"), Part(begins="Strategies"))),),
        see="The shares of all factors and of what is specific sum to one: the market explains most of this book, and "
        "the equity strategy carries nearly all of it.",
    ),
    Step(
        title="Was the risk model right?",
        asks="On every past day today's positions are forecast with what was known the day before. How often did they "
        "lose more than VaR?",
        calls=(Call(arguments=("backtest",), parts=(Part(begins="Violations"), Part(begins="Tests"))),),
        see="The number of violations is as promised, yet they follow one another: in a crisis this model learns too "
        "slowly. rpm says so itself, which is the point of a backtest.",
    ),
    Step(
        title="What may it hold today?",
        asks="Limits follow the market: its regime sets the base, volatility and stress leave a part of it.",
        calls=(Call(arguments=("limits",), parts=(Part(begins="Limits of today"), Part(begins="Limits\n"))),),
        see="Read it from above: each step shows what it multiplies and what is left. Today the book holds more than "
        "this market allows.",
    ),
    Step(
        title="A week of orders through the gate",
        asks="Every order asks the gate first. One week of sample signals is decided, and each decision is signed "
        "into a ledger (a temporary one; the tour takes it away).",
        calls=(
            Call(
                arguments=(
                    "gate", "run", "--ledger", LEDGER, "--until", "2015-01-09", "--set", "limits.single_name=0.08",
                ),
                parts=(Part(begins="Signals"), Part(begins="Cut, by")),
            ),
        ),
        see="Approved, cut to a size that passes, or rejected: always with the check that decided. Nothing is sent "
        "before its record is on the disk.",
    ),
    Step(
        title="May this trade be sent?",
        asks="On Monday core_equity asks for 80,000 shares of MSFT: too many.",
        calls=(
            Call(
                arguments=(
                    "decide", "MSFT", "--side", "buy", "--quantity", "80000", "--entry", "40.9",
                    *_ORDER, "2015-01-12T15:00",
                ),
                parts=(Part(begins="Verdict"), Part(begins="Checks", only=(" cut ",))),
            ),
        ),
        see="It is approved smaller. Every check says the largest size that it would pass; the smallest of them is "
        "the size, and the one that binds is named.",
    ),
    Step(
        title="And this one?",
        asks="A slip of the finger: the price is ten times too high.",
        calls=(
            Call(
                arguments=(
                    "decide", "MSFT", "--side", "buy", "--quantity", "100", "--entry", "409",
                    *_ORDER, "2015-01-12T15:05",
                ),
                parts=(Part(begins="Verdict", lines=6), Part(begins="Checks", only=(" reject ",))),
                code=REJECTED,
            ),
        ),
        see="Rejected, with the reason in words. The exit code is 3: a script needs to read nothing.",
    ),
    Step(
        title="Stop!",
        asks="An operator trips the kill switch, an order comes, and the operator clears the halt.",
        calls=(
            Call(
                arguments=("killswitch", "trip", LEDGER, "--severity", "halt", *_WHO, "I want to see it stop"),
                parts=(Part(begins="trip"),),
            ),
            Call(
                arguments=(
                    "decide", "KO", "--side", "buy", "--quantity", "100", "--entry", "42", *_ORDER, "last",
                ),
                parts=(Part(begins="Verdict", lines=4),),
                code=REJECTED,
            ),
            Call(
                arguments=("killswitch", "reset", LEDGER, *_WHO, "seen"),
                parts=(Part(begins="reset"),),
            ),
        ),
        see="In REDUCING only what shrinks a position passes. A halt stays until a named person clears it with a "
        "reason, and both are in the ledger.",
    ),
    Step(
        title="Can it be proven?",
        asks="Replay decides everything anew from the ledger alone; the audit checks that no record was altered.",
        calls=(
            Call(arguments=("replay", LEDGER), parts=(Part(begins="Ledger"),)),
            Call(arguments=("audit", "verify", LEDGER), parts=(Part(begins="Ledger"),)),
        ),
        see="Every decision comes out byte for byte as it was recorded, also the last ones that you saw being made.",
    ),
)  # fmt: skip

"""Kill switches the slow way: everything that ever happened is kept and read again for every answer."""

MINUTE = 60_000_000_000
LEVELS = ["none", "warning", "throttle", "halt", "liquidate"]


def rank(name):
    return LEVELS.index(name)


class Ladder:
    """Up with the observation; WARNING and THROTTLE end below the clearing share; HALT stays until a reset."""

    def __init__(self, levels, clear=0.4):
        self.levels, self.clear, self.now, self.alone = levels, clear, "none", "none"

    def see(self, share, least="none"):
        met = [name for level, name in self.levels if share > level or abs(share - level) <= 1e-12 * level]
        self.alone = max([*met, least, "none"], key=rank)
        if rank(self.alone) > rank(self.now):
            self.now = self.alone
        elif self.now in ("warning", "throttle") and self.alone == "none" and share < self.clear:
            self.now = "none"
        return self.now

    def reset(self):
        self.now = self.alone
        return self.now


class Rejections:
    """All counted rejections ever; those of the last window are counted anew each time."""

    def __init__(self, most=10, minutes=5.0, volatile=1.5, stressed=0.5):
        self.most, self.window = most, round(minutes * MINUTE)
        self.factors = {"trending": 1.0, "ranging": 1.0, "volatile": volatile, "stressed": stressed}
        self.factors[None] = min(self.factors.values())
        self.capacity = -int(-most * max(self.factors.values()) // 1)
        self.regime, self.counted = "ranging", []
        self.ladder = Ladder([(0.6, "throttle"), (1.0, "halt")])

    def inside(self, at):
        return [item for item in self.counted if at - self.window < item[0] <= at][-self.capacity :]

    def record(self, at, key, limit):
        counts = not (limit and any(k == key for _, k in self.inside(at)))
        if counts:
            self.counted.append((at, key if limit else None))
        self.see(at)
        return counts

    def see(self, at):
        return self.ladder.see(len(self.inside(at)) / (self.most * self.factors[self.regime]))


class Exposure:
    """All snapshots ever; growth is measured from the lowest of those that count."""

    def __init__(self, growth=0.05, leverage=0.1, minutes=5.0, lifetime=1440.0):
        self.limits, self.minutes, self.lifetime = (growth, leverage), minutes, round(lifetime * MINUTE)
        self.interval = round(minutes * MINUTE)
        self.points, self.approvals = [], []  # (at, gross, all growth, unapproved growth); [at, left]
        levels = [(0.6, "throttle"), (1.0, "halt")]
        self.ladders = [Ladder(levels), Ladder(levels)]

    def approve(self, at, amount):
        self.approvals.append([at, amount])

    def use(self, amount):
        used = 0.0
        for item in self.approvals:
            taken = min(item[1], amount - used)
            item[1] -= taken
            used += taken
        return used

    def since(self, at, column):
        """The lowest within the interval, and the newest at or before its beginning, with the former alone told."""
        near = [p for p in self.points if p[0] >= at - self.interval]
        far = [p for p in self.points if p[0] <= at - self.interval]
        return ([min(near, key=lambda p: p[column])] if near else []), far[-1:]

    def snapshot(self, at, gross, equity):
        self.approvals = [item for item in self.approvals if item[0] > at - self.lifetime]
        everything, unapproved = 0.0, 0.0
        if self.points:
            _, before, everything, unapproved = self.points[-1]
            change = gross - before
            everything += change
            unapproved += change - self.use(change) if change > 0 else change
        ways = self.since(at, 2), self.since(at, 3)
        self.points.append((at, gross, everything, unapproved))
        if equity <= 0:
            self.ladders[1].see(0.0, "halt")
            return
        for i, (ladder, limit) in enumerate(zip(self.ladders, self.limits, strict=True)):

            def share(now, points, column, leverage=i, limit=limit, shortest=False):
                rates = [0.0]
                for p in points:
                    minutes = self.minutes if shortest else max(at - p[0], self.interval) / MINUTE
                    rates.append((now - p[column]) / (equity if leverage else max(p[1], equity)) / minutes / limit)
                return max(rates)

            whole = share(everything, ways[0][0] + ways[0][1], 2)
            least = "throttle" if whole > 1 + 1e-12 else "warning" if whole >= 0.6 - 1e-12 else "none"
            near, far = ways[1]
            if not near and share(unapproved, far, 3, shortest=True) >= 1 - 1e-12:
                least = "throttle"
            ladder.see(share(unapproved, near + far, 3), least)


class Strategy:
    """All trades and decisions ever."""

    def __init__(self, capital, drawdown=0.10, losses=5, rate=0.5, last=100, least=20):
        self.capital, self.limits, self.last, self.least = capital, (drawdown, losses, rate), last, least
        self.pnl, self.decisions = [], []
        self.ladders = [Ladder([(0.6, "warning"), (1.0, "halt")]) for _ in range(3)]

    def see(self):
        equity, peak = self.capital, self.capital
        for pnl in self.pnl:
            equity += pnl
            peak = max(peak, equity)
        streak = 0
        for pnl in self.pnl:
            streak = streak + 1 if pnl < 0 else 0 if pnl > 0 else streak
        recent = self.decisions[-self.last :]
        rate = sum(recent) / len(recent) if len(recent) >= self.least else 0.0
        for ladder, seen, limit in zip(self.ladders, ((peak - equity) / peak, streak, rate), self.limits, strict=True):
            ladder.see(seen / limit)

    @property
    def severity(self):
        return max((ladder.now for ladder in self.ladders), key=rank)


class Account:
    """All equities ever, with no cash flows: the day's first is the last one known before the day began."""

    def __init__(self, daily=0.03, drawdown=0.15):
        self.limits, self.equities = (daily, drawdown), []
        self.ladders = [Ladder([(0.6, "warning"), (0.8, "throttle"), (1.0, "halt")]) for _ in range(2)]

    def record(self, at, equity):
        self.equities.append((at, equity))
        today = at // (1440 * MINUTE)
        before = [e for t, e in self.equities if t // (1440 * MINUTE) < today]
        first = before[-1] if before else self.equities[0][1]
        peak = max(e for _, e in self.equities)
        self.ladders[0].see((first - equity) / first / self.limits[0])
        self.ladders[1].see((peak - equity) / peak / self.limits[1])


class Repeats:
    """All orders ever."""

    def __init__(self, most=20, minutes=1.0):
        self.most, self.window, self.orders = most, round(minutes * MINUTE), []
        self.ladders = {}

    def record(self, at, strategy, symbol, side):
        self.orders.append((at, strategy, symbol, side))
        same = [o for o in self.orders if o[1:] == (strategy, symbol, side) and at - self.window < o[0] <= at]
        ladder = self.ladders.setdefault(strategy, Ladder([(1.0, "halt")]))
        return ladder.see(min(len(same), self.most + 1) / (self.most + 1))


class Manager:
    """All of them, asked together."""

    def __init__(self, equity, strategies):
        self.rejections, self.exposure, self.account, self.repeats = Rejections(), Exposure(), Account(), Repeats()
        self.strategies = {name: Strategy(capital) for name, capital in strategies.items()}
        self.by_hand = dict.fromkeys(("account", *strategies), "none")
        self.opening, self.equity, self.approvals_told = equity, equity, set()

    def severity(self, strategy=None):
        ladders = [self.rejections.ladder, *self.exposure.ladders, *self.account.ladders]
        found = [*(ladder.now for ladder in ladders), self.by_hand["account"]]
        if strategy is not None:
            if strategy not in self.strategies:
                return "liquidate" if "liquidate" in found else "halt"
            repeats = self.repeats.ladders.get(strategy)
            found += [self.strategies[strategy].severity, self.by_hand[strategy], repeats.now if repeats else "none"]
        return max(found, key=rank)

    def rejection(self, at, strategy, symbol, reason, cause):
        if cause == "kill_switch":
            if rank(self.severity(strategy)) >= rank("halt"):
                return
            cause = "other"
        if self.rejections.record(at, (strategy, symbol, reason), cause == "risk_limit"):
            self.strategies[strategy].decisions.append(1)
            self.strategies[strategy].see()

    def approval(self, at, amount, strategy):
        self.strategies[strategy].decisions.append(0)
        self.approvals_told.add(strategy)
        self.strategies[strategy].see()
        self.exposure.approve(at, amount)

    def trade(self, strategy, pnl):
        one = self.strategies[strategy]
        one.pnl.append(pnl)
        if strategy not in self.approvals_told:
            one.decisions.append(0)
        one.see()

    def snapshot(self, at, gross, equity):
        if not self.account.equities:
            self.account.record(at, self.opening)
        self.account.record(at, equity)
        self.exposure.snapshot(at, gross, equity)

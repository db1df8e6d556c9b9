"""Statements made by hand after the public layout of MetaTrader 5's trade history report; no account is behind them."""

from dataclasses import dataclass, field
from pathlib import Path


def rows(text: str) -> list[tuple[str, ...]]:
    """Return the cells of lines that a bar divides."""
    return [tuple(cell.strip() for cell in line.split("|")) for line in text.strip().splitlines()]


HEAD = """<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">
<html>
  <head>
    <title>5001234: Sample - Trade History Report</title>
    <meta name="generator" content="client terminal">
    <style type="text/css">
    <!--
    @media screen {{ td {{ font: 8pt  Tahoma,Arial; }} }}
    .hidden {{ display: none; }}
    //-->
    </style>
  </head>
<body>
<div align="center">
  <table cellspacing="1" cellpadding="3" border="0">
    <tr align="center"><td colspan="14"><div style="font: 14pt Tahoma"><b>Trade History Report</b><br></div></td></tr>
    <tr align="left"><th colspan="4">Name:</th><th colspan="10"><b>Sample</b></th></tr>
    <tr align="left"><th colspan="4">Account:</th><th colspan="10"><b>{account}</b></th></tr>
    <tr align="left"><th colspan="4">Company:</th><th colspan="10"><b>Sample Broker &amp; Co</b></th></tr>
    <tr align="left"><th colspan="4">Date:</th><th colspan="10"><b>{date}</b></th></tr>
    <tr><td nowrap style="width: 140px;height: 10px"></td><td nowrap></td></tr>
"""

COLUMNS = {
    "Positions": ["Time", "Position", "Symbol", "Type", "Volume", "Price", "S / L", "T / P", "Time", "Price",
                  "Commission", "Swap", ("Profit", 2)],
    "Orders": ["Open Time", "Order", "Symbol", "Type", "Volume", "Price", "S / L", "T / P", "Time", ("State", 2),
               ("Comment", 3)],
    "Deals": ["Time", "Deal", "Symbol", "Type", "Direction", "Volume", "Price", "Order", ("Cost", "hidden"),
              "Commission", "Fee", "Swap", "Profit", "Balance", "Comment"],
    "Open Positions": ["Time", "Position", "Symbol", "Type", "Volume", "Price", "S / L", "T / P", "Market Price",
                       "Swap", "Profit", "Comment"],
    "Working Orders": ["Open Time", "Order", "Symbol", "Type", "Volume", "Price", "S / L", "T / P", "Market Price",
                       ("State", 2), "Comment"],
}  # fmt: skip

CLOSED = rows("""
2024.03.04 10:00:00|101|EURUSD|buy|trend 7|1|1.08500|1.08000||2024.03.05 16:30:00|1.09000|-7.00|-1.20|500.00
2024.03.04 11:00:00|102|XAUUSD|sell|meanrev|0.5|2 100.00|||2024.03.04 18:00:00|2 125.00|-3.50|0.00|-1 250.00
2024.03.06 09:15:30|103|EURUSD|sell|trend 8|0.30|1.09000|||2024.03.06 12:00:00|1.08900|-2.10|0.00|30.00
""")
"""Opened, position, symbol, type, comment, volume, entry, sl, tp, closed, exit, commission, swap, profit."""

ORDERS = rows("""
2024.03.04 10:00:00|101|EURUSD|buy|1 / 1|market|||2024.03.04 10:00:00|filled|trend 7
2024.03.06 08:00:00|104|EURUSD|buy limit|1 / 0|1.07000|||2024.03.06 09:00:00|canceled|
""")

DEALS = rows("""
2024.03.01 09:00:00|1||balance|||||0.00|0.00|0.00|10 000.00|10 000.00|deposit
2024.03.04 10:00:00|2|EURUSD|buy|in|1|1.08500|101|-3.50|0.00|0.00|0.00|9 996.50|
2024.03.04 11:00:00|3|XAUUSD|sell|in|0.5|2 100.00|102|-1.75|0.00|0.00|0.00|9 994.75|
2024.03.04 18:00:00|4|XAUUSD|buy|out|0.5|2 125.00|105|-1.75|0.00|0.00|-1 250.00|8 743.00|[sl 2125.00]
2024.03.05 16:30:00|5|EURUSD|sell|out|1|1.09000|106|-3.50|0.00|-1.20|500.00|9 238.30|
2024.03.06 09:15:30|6|EURUSD|sell|in|0.30|1.09000|103|-1.05|0.00|0.00|0.00|9 237.25|
2024.03.06 12:00:00|7|EURUSD|buy|out|0.30|1.08900|107|-1.05|0.00|0.00|30.00|9 266.20|
2024.03.07 10:00:00|8|GBPUSD|buy|in|0.20|1.27000|108|-0.70|0.00|0.00|0.00|9 265.50|
2024.03.07 11:00:00|9|GBPUSD|sell|in|0.05|1.27500|109|-0.18|0.00|0.00|0.00|9 265.32|
2024.03.07 12:00:00|10|USDJPY|sell|in|0.10|148.000|110|-0.35|0.00|0.00|0.00|9 264.97|
2024.03.08 00:00:00|11||interest|||||0.00|0.00|0.00|1.03|9 266.00|cash
""")
"""Time, deal, symbol, type, direction, volume, price, order, commission, fee, swap, profit, balance, comment."""

TOTALS = {"commission": "-13.83", "fee": "0.00", "swap": "-1.20", "profit": "9 281.03", "balance": "9 266.00"}

OPEN = rows("""
2024.03.07 10:00:00|108|GBPUSD|buy|0.20|1.27000|||1.28000|-0.40|200.00|trend 9
2024.03.07 11:00:00|109|GBPUSD|sell|0.05|1.27500|||1.28010|0.00|-25.50|hedge
2024.03.07 12:00:00|110|USDJPY|sell|0.10|148.000|||147.000|-0.10|68.03|trend 9
""")
"""Opened, position, symbol, type, volume, entry, sl, tp, market, swap, profit, comment."""

WORKING = rows("""
2024.03.07 13:00:00|111|EURUSD|buy limit|1.00 / 0.25|1.07000|||1.09400|placed|trend
""")

FIGURES = [
    ("Balance", "9 266.00"), ("Credit Facility", "0.00"), ("Floating P/L", "242.03"), ("Equity", "9 508.03"),
    ("Total Net Profit", "-735.03"), ("Gross Profit", "519.70"), ("Gross Loss", "-1 254.73"),
]  # fmt: skip


@dataclass
class Sample:
    """A statement whose parts a test may change before it is written."""

    account: str = "5001234&nbsp;(USD,&nbsp;Sample-Demo,&nbsp;demo,&nbsp;Hedge)"
    date: str = "2024.03.08 12:00"
    closed: list = field(default_factory=lambda: list(CLOSED))
    orders: list = field(default_factory=lambda: list(ORDERS))
    deals: list = field(default_factory=lambda: list(DEALS))
    totals: dict = field(default_factory=lambda: dict(TOTALS))
    open: list = field(default_factory=lambda: list(OPEN))
    working: list = field(default_factory=lambda: list(WORKING))
    figures: list = field(default_factory=lambda: list(FIGURES))

    def html(self) -> str:
        parts = [HEAD.format(account=self.account, date=self.date)]
        for name, rows in (
            ("Positions", self.closed), ("Orders", self.orders), ("Deals", self.deals), ("Open Positions", self.open),
            ("Working Orders", self.working),
        ):  # fmt: skip
            if rows:
                parts += self._table(name, rows)
        for name, value in self.figures:
            span = "3" if name in dict(FIGURES[:4]) else "3 "
            parts.append(
                f'<tr align="right"><td colspan="{span}" style="height: 20px">{name}:</td>'
                f'<td colspan="2"><b>{value}</b></td></tr>\n'
            )
        return "".join([*parts, "</table></div></body></html>\n"])

    def _table(self, name, rows):
        yield f'<tr align="center"><th colspan="14" style="height: 25px"><div><b>{name}</b></div></th></tr>\n'
        yield '<tr align="center" bgcolor="#E5F0FC">' + "".join(map(_heading, COLUMNS[name])) + "</tr>\n"
        for row in rows:
            yield f'<tr bgcolor="#FFFFFF" align="right">{"".join(_cells(name, row))}</tr>\n'
        if name == "Deals" and self.totals:
            sums = "".join(f"<td><b>{text}</b></td>" for text in self.totals.values())
            yield f'<tr align="right"><td nowrap colspan="8" style="height: 30px"></td>{sums}<td></td></tr>\n'
        yield '<tr><td nowrap style="height: 10px"></td></tr>\n'

    def csv(self, delimiter=",") -> str:
        lines = [
            ["Trade History Report"],
            ["Account:", "", "", self.account.replace("&nbsp;", " ")],
            ["Date:", "", "", self.date],
        ]
        for name, rows in (
            ("Positions", self.closed), ("Deals", self.deals), ("Open Positions", self.open),
        ):  # fmt: skip
            headings = [h if isinstance(h, str) else h[0] for h in COLUMNS[name] if h != ("Cost", "hidden")]
            lines += [[name], headings]
            lines += [[*row[:4], *row[5:]] if name == "Positions" else list(row) for row in rows]
            if name == "Deals":
                lines.append([""] * 8 + list(self.totals.values()))
        lines += [[f"{label}:", "", "", value] for label, value in self.figures]
        return "".join(delimiter.join(_quoted(cell, delimiter) for cell in line) + "\r\n" for line in lines)

    def write(self, path: Path, encoding="utf-8", bom=b"") -> Path:
        path.write_bytes(bom + self.html().encode(encoding))
        return path


def _heading(heading):
    name, more = (heading, 1) if isinstance(heading, str) else heading
    return (
        f'<td nowrap class="hidden"><b>{name}</b></td>'
        if more == "hidden"
        else f'<td nowrap colspan="{more}"><b>{name}</b></td>'
    )


def _cells(name, row):
    for position, text in enumerate(row):
        if name == "Positions" and position == 4:
            yield f'<td class="hidden" colspan="8">{text}</td>'
        elif name == "Deals" and position == 8:
            yield f'<td nowrap class="hidden"></td><td nowrap>{text}</td>'
        elif (name, position) in {("Positions", 13), ("Orders", 9), ("Working Orders", 9)}:
            yield f'<td colspan="2">{text}</td>'
        else:
            yield f"<td>{text}</td>"


def _quoted(cell, delimiter):
    return f'"{cell}"' if delimiter in cell else cell

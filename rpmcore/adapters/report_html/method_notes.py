"""For every number of the report: its formula, who it is from, and the page of the manual that says more."""

from dataclasses import dataclass

FIGURES, CRISES, ADAPTIVE = "figures.md", "crises.md", "adaptive.md"
STRATEGIES, GATE, LEDGER, FILES, SETTINGS = "strategies.md", "gate.md", "ledger.md", "files.md", "settings.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodNote:
    """A note: `name` is its anchor (``#note-name``), `page` and `heading` where the manual says more."""

    name: str
    title: str
    formula: str
    source: str
    page: str
    heading: str


def _note(name: str, title: str, formula: str, source: str, page: str, heading: str) -> MethodNote:
    return MethodNote(name=name, title=title, formula=formula, source=source, page=page, heading=heading)


NOTES = (
    _note("weight", "Weight, gross and net", "w = signed market value / capital; gross = Σ|w|, net = |Σw|. Never renormalised.",
          "definition of this program", FIGURES, "Signs and units"),
    _note("covariance", "Covariance", "Σ(t+1) = λΣ(t) + (1−λ) r(t)r(t)ᵀ, mean zero, weights of the window renormalised to one; then (1−δ)Σ + δ m I, "
          "m the mean variance; or as the settings say",
          "RiskMetrics Technical Document 1996; Ledoit and Wolf, J. Multivariate Analysis 88 (2004), for the target", FIGURES, "Covariance"),
    _note("volatility", "Volatility", "σ = √(wᵀΣw) a day; × √252 a year",
          "Markowitz, Journal of Finance 7 (1952)", FIGURES, "Covariance"),
    _note("scaling", "Scaling advice", "factor = target / volatility above 110 % of the target, else 1; a quiet book is never scaled up",
          "rule of the settings", FIGURES, "Limits and scaling"),
    _note("tail", "VaR and CVaR", "VaR_c: the loss exceeded with probability 1−c; CVaR_c (expected shortfall): E[L | L > VaR_c] for a continuous law. "
          "Fractions of capital; money = fraction × capital",
          "Acerbi and Tasche, J. Banking and Finance 26 (2002)", FIGURES, "VaR and expected shortfall"),
    _note("method-historical", "Historical", "k = (1−c)n: VaR = the ⌈k⌉-th worst loss of today's positions; CVaR = (sum of the ⌊k⌋ worst + (k−⌊k⌋)·next)/k",
          "Acerbi and Tasche 2002", FIGURES, "VaR and expected shortfall"),
    _note("method-filtered_historical", "Filtered historical", "z_t = r_t/σ_t by EWMA, times the volatility of tomorrow; then as historical",
          "Barone-Adesi, Giannopoulos and Vosper, J. Futures Markets 19 (1999)", FIGURES, "VaR and expected shortfall"),
    _note("method-normal", "Normal", "VaR = −μ + σz_c, CVaR = −μ + σφ(z_c)/(1−c), μ = 0 unless set",
          "RiskMetrics 1996; McNeil, Frey and Embrechts 2015, example 2.14", FIGURES, "VaR and expected shortfall"),
    _note("method-student_t", "Student-t fit", "location, scale, ν by maximum likelihood; VaR = −(loc + scale·q), "
          "CVaR = −loc + scale·f_ν(q)/(1−c)·(ν+q²)/(ν−1), q = t_ν⁻¹(1−c)",
          "McNeil, Frey and Embrechts, Quantitative Risk Management 2015, example 2.15", FIGURES, "VaR and expected shortfall"),
    _note("method-cornish_fisher", "Cornish–Fisher", "quantile from mean, volatility, skewness and kurtosis; CVaR = the mean of the quantiles beyond",
          "Cornish and Fisher 1938; Maillard 2018", FIGURES, "VaR and expected shortfall"),
    _note("method-extreme_value", "Extreme value", "losses beyond u: P(Y > y) = (1 + ξy/β)^(−1/ξ); VaR = u + β((n(1−c)/N)^(−ξ) − 1)/ξ, "
          "CVaR = (VaR + β − ξu)/(1−ξ)",
          "Pickands 1975; Balkema and de Haan 1974; McNeil, Frey and Embrechts 2015, section 5.2", FIGURES, "VaR and expected shortfall"),
    _note("method-monte_carlo", "Monte Carlo", "draws of wᵀr from a Student-t or normal law with covariance Σ; the same seed gives the same bits",
          "Glasserman, Monte Carlo Methods in Financial Engineering, 2003", FIGURES, "VaR and expected shortfall"),
    _note("interval", "Intervals", "90 % unless set: of order statistics (historical), asymptotic (normal, Student-t, extreme value), bootstrap "
          "(Cornish–Fisher); ± is the standard error of the simulation",
          "McNeil, Frey and Embrechts 2015; Efron 1979", FIGURES, "VaR and expected shortfall"),
    _note("moments", "Skewness and kurtosis", "m₃/m₂^1.5 and m₄/m₂² − 3 of past P&L", "definition", FIGURES, "VaR and expected shortfall"),
    _note("limits", "Limits", "used = observed / limit; WARNING from the warning level on, BREACH above the limit; what is undefined is a breach. VaR and CVaR: "
          "the larger of historical and EWMA-normal", "rule of the settings", FIGURES, "Limits and scaling"),
    _note("adaptive", "Limits that adapt", "base of the regime × (1, 0.8, 0.5 or 0.2 by volatility) × (1 − 0.8 × stress score)",
          "rule of the settings", ADAPTIVE, "Limits that adapt"),
    _note("regime", "Regime", "ranks of the EWMA volatility and of the average correlation among all earlier days, and the efficiency ratio |Δp|/Σ|δp| over 20 days, "
          "with hysteresis",
          "RiskMetrics 1996; Kaufman, Smarter Trading, 1995", ADAPTIVE, "Regime"),
    _note("history", "P&L history", "P&L of day t = today's weights × returns of day t; VaR of day t is forecast from the returns up to t−1; a violation is a loss "
          "strictly greater", "McNeil, Frey and Embrechts 2015, section 9.3", FIGURES, "Was the model right?"),
    _note("distribution", "Distribution", "a curve is n × width of a bin × density: normal with the volatility of the covariance, Student-t fitted, generalised "
          "Pareto beyond the threshold", "McNeil, Frey and Embrechts 2015, sections 2.2 and 5.2", FIGURES, "VaR and expected shortfall"),
    _note("component", "Contributions", "component_i = w_i(Σw)_i/σ, share = component/σ; they sum to the volatility exactly; component VaR = z·component. "
          "Negative shares hedge", "Tasche, Capital allocation: the Euler principle, 2007", FIGURES, "Where the risk sits"),
    _note("diversification", "Diversification", "score = H(p)/ln N of the shares p of uncorrelated bets; ratio = Σ|w|σ_i/σ; effective names = 1/Σp² of gross shares",
          "Meucci, Santangelo and Deguest 2015; Choueifaty and Coignard 2008; Herfindahl–Hirschman", FIGURES, "Factors, sectors and currencies"),
    _note("correlation", "Correlation and its order", "ρ_ij = Σ_ij/(σ_iσ_j); distance √(½(1−ρ)), mean linkage, optimal order of the leaves",
          "Mantegna, Eur. Phys. J. B 11 (1999); López de Prado 2018; Bar-Joseph et al. 2001", FIGURES, "Where the risk sits"),
    _note("factors", "Factors", "Σ = BFBᵀ + D, b = Bᵀw: share of factor k = b_k(Fb)_k/σ², specific = Σw²D/σ²; together 1",
          "Newey and West 1987 for the errors; Marchenko and Pastur 1967 for the number", FIGURES, "Factors, sectors and currencies"),
    _note("profile", "Exposure by profile", "Σ weight × loading", "rule of this program", FIGURES, "Factors, sectors and currencies"),
    _note("sector", "Sectors", "net = long − short, gross = long + short, per cent of capital", "GICS", FIGURES, "Factors, sectors and currencies"),
    _note("currency", "Currencies", "assets priced in it + base legs + quote legs: long EURUSD is long EUR and short as much USD",
          "definition", FIGURES, "Factors, sectors and currencies"),
    _note("crisis-parametric", "Crisis in one step", "price move = market shock × beta, gaps as a floor; every holding revalued in full",
          "rule of this program; parameters by `rpm scenarios show NAME`", CRISES, "Parametric: one step"),
    _note("crisis-replay", "Crisis replayed", "the returns of its dated days on today's quantities; loss = largest fall below initial capital",
          "rule of this program", CRISES, "Replay: the days of the crisis"),
    _note("crisis-factor", "Crisis expected given the market", "E[r | r_S = s] = Σ_·SΣ_SS⁻¹s with the market shock as s",
          "Kupiec, J. Derivatives 6 (1998)", CRISES, "Factor: a few shocks, and what follows"),
    _note("crisis-path", "Crisis day by day", "many paths of stressed Student-t shocks that reach the market shock; judged by a quantile of the losses",
          "rule of this program", CRISES, "Path: day by day"),
    _note("crisis-ratio", "Loss / VaR", "one step: loss over the one-day VaR under the stressed covariance; by days: the largest loss of a day over its forecast",
          "rule of this program", CRISES, "What passes"),
    _note("crisis-passes", "What passes", "loss ≤ 15 % of capital and loss / VaR ≤ 2, unless set", "rule of the settings", CRISES, "What passes"),
    _note("crisis-exit", "Cost and days to leave", "half spread × multiplier × |value|, and square-root impact; days at a tenth of the volume that is left",
          "Almgren et al. 2005", CRISES, "Parametric: one step"),
    _note("test-kupiec", "Kupiec", "LR = −2 ln[(1−p)^(n−x)p^x / ((1−x/n)^(n−x)(x/n)^x)], χ²(1)", "Kupiec, J. Derivatives 3 (1995)", FIGURES, "Was the model right?"),
    _note("test-christoffersen", "Christoffersen", "LR of independence from the transitions of violations; Monte Carlo p-value",
          "Christoffersen, International Economic Review 39 (1998); Dufour 2006", FIGURES, "Was the model right?"),
    _note("test-conditional_coverage", "Conditional coverage", "LR_cc = LR_uc + LR_ind; Monte Carlo p-value", "Christoffersen 1998", FIGURES, "Was the model right?"),
    _note("test-duration", "Duration", "Weibull shape of the days between violations against 1; Monte Carlo p-value",
          "Christoffersen and Pelletier, J. Financial Econometrics 2 (2004)", FIGURES, "Was the model right?"),
    _note("test-dynamic_quantile", "Dynamic quantile", "regression of hits on a constant, VaR, four lagged hits and the lagged squared return",
          "Engle and Manganelli, J. Business and Economic Statistics 22 (2004)", FIGURES, "Was the model right?"),
    _note("test-traffic_light", "Traffic light", "green below 95 % of the binomial law of violations, red from 99.99 %", "Basel Committee 1996", FIGURES, "Was the model right?"),
    _note("test-acerbi_szekely", "Acerbi–Székely 2", "Z₂ = 1 − ΣL·1[L > VaR]/(n(1−c)ES); negative: CVaR too small", "Acerbi and Székely, Risk 2014", FIGURES, "Was the model right?"),
    _note("test-acerbi_szekely_conditional", "Acerbi–Székely 1", "Z₁ = 1 − mean(L/ES | L > VaR)", "Acerbi and Székely 2014", FIGURES, "Was the model right?"),
    _note("test-mcneil_frey", "McNeil–Frey", "t statistic of L − ES on days of violation; one-sided bootstrap", "McNeil and Frey, J. Empirical Finance 7 (2000)", FIGURES, "Was the model right?"),
    _note("worst", "Worst days", "loss / VaR of the days of violation", "definition", FIGURES, "Was the model right?"),
    _note("health", "Health of a strategy", "weighted sum of six scores in [0, 1]: win rate, expectancy, drawdowns, trend, edge; below 0.30 it is disabled, unless set",
          "rule of this program", STRATEGIES, "Health"),
    _note("performance", "Statistics of trades", "win rate = wins/n; expectancy = mean P&L (in R where risks are told); profit factor = Σwins/Σlosses; Sharpe = mean/sd of "
          "daily returns × √252; drawdown = (peak − E)/peak", "Wilson 1927; Van Tharp 2007; Sharpe 1994; Mertens 2002", STRATEGIES, "Statistics"),
    _note("allocation", "Allocation", "¼ of μ/σ², shrunk toward equal parts by the noise among the estimates, capped", "Thorp 2006; Efron and Morris 1973", STRATEGIES, "Capital"),
    _note("gate", "State of the gate", "equity, peak and drawdown = (peak − equity)/peak after the last command", "rule of this program", GATE, "How a signal is decided"),
    _note("decisions", "Decisions", "each is the first check that refuses, or the largest size that passes all", "rule of this program", GATE, "Checks"),
    _note("ledger", "Verification", "macₙ = HMAC(macₙ₋₁ ‖ record n), and a signed head", "Krawczyk, Bellare and Canetti, RFC 2104", LEDGER, "Chain and head"),
    _note("data", "Rows and gaps", "a row is left out where any price is missing; a return is a change of closes on common days", "rule of this program", FILES, "Returns"),
    _note("digest", "Digest", "SHA-256 of all settings that figures depend on, in canonical JSON", "FIPS 180-4", SETTINGS, "Settings"),
)  # fmt: skip
"""In the order of the page."""

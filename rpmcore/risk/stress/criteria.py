"""What a book must hold to pass a stress, in words; a number that is none fails."""

from rpmcore.risk.settings import StressSettings


def failed_loss(loss: float, settings: StressSettings) -> tuple[str, ...]:
    """Return the criterion on the loss, a fraction of capital, if it is failed."""
    if loss <= settings.maximum_loss:
        return ()
    return (f"loss {loss:.2%} exceeds {settings.maximum_loss:.2%} of capital",)


def failed_ratio(loss: float, ratio: float | None, settings: StressSettings, *, daily: bool) -> tuple[str, ...]:
    """Return the criterion on the ratio of loss to VaR if it is failed.

    Parameters
    ----------
    loss
        Fraction of capital: one without a VaR beside it fails.
    ratio
        None where there is no VaR.
    daily
        Whether it is the largest of a day's loss over the VaR forecast for it, or of a loss over the stressed VaR.
    """
    if ratio is None:
        lacking = "VaR forecast" if daily else "stressed VaR"
        return (f"there is a loss but no {lacking} to hold it against",) if loss > 0.0 else ()
    if ratio <= settings.maximum_var_ratio:
        return ()
    found = (
        f"a day's loss is {ratio:.2f} × the VaR forecast for it" if daily else f"loss is {ratio:.2f} × the stressed VaR"
    )
    return (f"{found}, more than {settings.maximum_var_ratio:g} ×",)

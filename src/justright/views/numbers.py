"""Numbers as people read them: as many digits as the uncertainty allows."""

from __future__ import annotations

from math import floor, isfinite, log10

MINUS = "\N{MINUS SIGN}"

_LONGEST = 1e12  # longer numbers are written with an exponent (assumption: nobody counts digits)
_MOST_PLACES = 9
_LEAST_SPREAD = 1e-290  # below, powers of ten lose their digits


def decimals(spread: float) -> int:
    """Decimals worth printing for a number that is uncertain by `spread` (may be negative).

    The rule of the Particle Data Group (Review of Particle Physics, section 5.3; published): two
    digits of the uncertainty when it starts with 1.0 to 3.5, one digit otherwise.

    >>> decimals(0.012), decimals(0.006), decimals(512.0)
    (3, 3, -2)
    """
    if not isfinite(spread) or spread < _LEAST_SPREAD:
        return 3
    exponent = floor(log10(spread))
    leading = spread / 10.0**exponent
    return -exponent + (1 if leading < 3.55 or leading >= 9.5 else 0) - (leading >= 9.5)


def fixed(value: float, places: int) -> str:
    """A number with so many decimals (negative: rounded to tens, hundreds), true minus sign.

    >>> fixed(-0.0264, 3), fixed(48213.0, -2)
    ('−0.026', '48,200')
    >>> fixed(1.7e29, -28), fixed(3.14e-15, 16)
    ('1.7e+29', '3.1e−15')
    """
    if not isfinite(value):
        return "not finite"
    rounded = round(value, places)
    if rounded and (abs(rounded) >= _LONGEST or places > _MOST_PLACES):
        digits = max(floor(log10(abs(rounded))) + places, 0)
        return f"{rounded:.{digits}e}".replace("-", MINUS)
    if rounded == 0:
        rounded = 0.0  # no "−0.000"
    return f"{rounded:,.{max(places, 0)}f}".replace("-", MINUS)


def significant(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits, when nothing is known of its uncertainty.

    >>> significant(0.43712), significant(1234.5), significant(0.0000213), significant(None)
    ('0.437', '1,234', '2.13e−05', '–')
    """
    if value is None:
        return "–"
    if not isfinite(value):
        return "not finite"
    if value == 0:
        return "0"
    exponent = floor(log10(abs(value)))
    if exponent < -4 or exponent > 14:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    return fixed(value, max(digits - 1 - exponent, 0))


def with_interval(value: float, low: float | None, high: float | None) -> str:
    """A score with its 95% interval: ± where the interval is symmetric, its ends otherwise.

    >>> with_interval(0.411, 0.405, 0.417)
    '0.411 ± 0.006'
    >>> with_interval(0.90, 0.80, 0.93)
    '0.90 (0.80 to 0.93)'
    """
    if low is None or high is None or not (isfinite(low) and isfinite(high)):
        return significant(value)
    half = (high - low) / 2
    places = decimals(half)
    if half > 0 and max(abs(high - value - half), abs(value - low - half)) <= 0.2 * half:
        return f"{fixed(value, places)} ± {fixed(half, places)}"
    return f"{fixed(value, places)} ({span(low, high)})"


def span(low: float, high: float) -> str:
    """An interval in words.

    >>> span(-0.004, 0.0061)
    '−0.004 to 0.006'
    """
    places = decimals((high - low) / 2)
    return f"{fixed(low, places)} to {fixed(high, places)}"


def count(value: float, noun: str = "", plural: str = "") -> str:
    """A whole number with separators, and its noun in the right number.

    >>> count(20433, "row"), count(1, "row"), count(2, "category", "categories")
    ('20,433 rows', '1 row', '2 categories')
    """
    number = f"{int(value):,}"
    if not noun:
        return number
    return f"{number} {noun if value == 1 else plural or noun + 's'}"


def capital(sentence: str) -> str:
    """The same text with a capital in front; the rest stays as it is.

    >>> capital("log-loss of the AUC")
    'Log-loss of the AUC'
    """
    return sentence[:1].upper() + sentence[1:]


def compact(value: float) -> str:
    """A count in two or three digits.

    >>> compact(640), compact(6021), compact(24_300), compact(1_300_000)
    ('640', '6.0 k', '24 k', '1.3 M')
    """
    for unit, size in ((" G", 1e9), (" M", 1e6), (" k", 1e3)):
        if value >= size:
            scaled = value / size
            return f"{scaled:.1f}{unit}" if scaled < 10 else f"{scaled:.0f}{unit}"
    return f"{int(value)}"


def bytes_text(value: float) -> str:
    """A size in bytes, decimal units.

    >>> bytes_text(96_400), bytes_text(12)
    ('96 kB', '12 B')
    """
    return compact(value).replace(" k", " kB").replace(" M", " MB").replace(" G", " GB") + (
        " B" if value < 1e3 else ""
    )


def duration(seconds: float | None) -> str:
    """A time span.

    >>> duration(0.42), duration(12.3), duration(65), duration(3725), duration(0.00002)
    ('0.4 s', '12 s', '1 min 05 s', '1 h 02 min', '0.020 ms')
    """
    if seconds is None or not isfinite(seconds):
        return "–"
    if 0 < seconds < 0.05:
        return f"{significant(seconds * 1000, 2)} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"

"""The polynomials behind `vector_math`: minimax fits, made for this project.

Each was fitted on the interval stated by least squares with Lawson's weights in 50 digits; coefficients
stand highest power first. Those for float32 were rounded one after the other, refitting the rest.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core.errors import TypingError
from numba.extending import intrinsic

from gpuplay.intrinsics import coefficients
from gpuplay.intrinsics.host import lowering
from gpuplay.intrinsics.host.vector_types import Vector

LONG = 9  # coefficients


def polynomial(*coefficients: float) -> Any:
    """What compiled code calls to evaluate the polynomial with these coefficients, highest power first.

    Horner's rule: the fewest operations, each of which waits for the one before. `LONG` polynomials take odd
    and even powers apart, in x²: one operation more, and half the chain.
    """

    @intrinsic
    def evaluate(typingctx: Any, x: Any) -> Any:
        if not isinstance(x, Vector):
            raise TypingError(f"polynomial: a vector; given {x}")

        def generate(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
            (value,) = arguments
            terms = [lowering.splat(builder, ir.Constant(value.type.element, c), x.lanes) for c in coefficients]
            if len(terms) < LONG:
                return _horner(builder, value, terms)
            square = builder.fmul(value, value)
            even, odd = (_horner(builder, square, terms[-first::-2][::-1]) for first in (1, 2))
            return _horner(builder, value, [odd, even])

        return x(x), generate

    return evaluate


def _horner(builder: Any, x: Any, terms: list[Any]) -> Any:
    """The sum of terms times powers of x, the highest power first."""
    total = terms[0]
    for term in terms[1:]:
        product = builder.fmul(total, x, flags=lowering.CONTRACT)
        total = builder.fadd(product, term, flags=lowering.CONTRACT)
    return total


# e^r for |r| <= 0.35; the last two coefficients are exact, and the error is below 3.5e-9, and below 7e-18.
_EXP_32 = (0.0013939625, 0.008369528, 0.041666415, 0.16666514, 0.5, 1.0, 1.0)
_EXP_64 = (
    *(2.5117229748009306e-08, 2.763279560954309e-07, 2.7557218678338836e-06, 2.4801485890776495e-05),
    *(0.00019841269914191046, 0.0013888888950712303, 0.008333333333308993, 0.041666666666502275),
    *(0.16666666666666696, 0.5000000000000014, 1.0, 1.0),
)
EXP_32, EXP_64 = polynomial(*_EXP_32), polynomial(*_EXP_64)
# (e^r - 1) / r.
EXPM1_32, EXPM1_64 = polynomial(*_EXP_32[:-1]), polynomial(*_EXP_64[:-1])
# e^r and 2^r times 2^-LOWER: a power of two times 2^LOWER, which is a normal number, then gives the denormal
# product in one rounding. Scaled coefficients cost nothing.
LOWER_32, LOWER_64 = 64, 128
EXP_LOWERED_32 = polynomial(*(c * 2.0**-LOWER_32 for c in _EXP_32))
EXP_LOWERED_64 = polynomial(*(c * 2.0**-LOWER_64 for c in _EXP_64))
# 2^r for |r| <= 0.5, relative error below 3e-9.
_EXP2_32 = (0.00015329279, 0.001339097, 0.009618499, 0.055503596, 0.24022648, 0.6931472, 1.0)
EXP2_LOWERED_32 = polynomial(*(c * 2.0**-LOWER_32 for c in _EXP2_32))
# (ln(1 + f) - f + f²/2) / f³ for √½ <= 1 + f <= √2; the relative error of the logarithm is below 7.4e-10.
LOG_32 = polynomial(
    *(0.067497514, -0.116660975, 0.1188137, -0.12406527, 0.14220594),
    *(-0.16667989, 0.20002066, -0.2500001, 0.33333313),
)
LOG1P_32 = polynomial(*coefficients.LOG1P_32)
# (atanh(t)/t - 1) / t² in powers of t², for 0 <= t <= 1/3; error below 1.7e-18.
ATANH_64 = polynomial(
    *(0.08473407232322466, 0.04190616144164546, 0.060480112295085466, 0.06651172129948758, 0.07693223176677744),
    *(0.09090874898633593, 0.11111111891501547, 0.14285714275651648, 0.20000000000062326, 0.3333333333333321),
)
# erf(x)/x - 1 in powers of x², for |x| <= 0.9; the relative error of erf is below 3e-10, and below 4e-17.
ERF_32 = polynomial(8.39996e-05, -0.0008145227, 0.0052007553, -0.02685902, 0.112836815, -0.37612632, 0.12837917)
ERF_64 = polynomial(
    *(-8.482332710532831e-10, 1.4046241233893909e-08, -1.6275508868347113e-07, 1.645521693282499e-06),
    *(-1.4925299898841605e-05, 0.00012055321046931268, -0.0008548326754980217, 0.005223977621602781),
    *(-0.026866170644806404, 0.11283791670953702, -0.37612638903183726, 0.1283791670955126),
)
LOG2_TAIL_32 = polynomial(*coefficients.LOG2_TAIL_32)
# e^(a²/2)·Φ(-a) in powers of t = (a - 5)/(a + 5), for a <= 38.7, relative error below 5.1e-16.
TAIL_64 = polynomial(
    *(-1.7267736681849218e-10, 1.1494199644154578e-09, 4.334628797007252e-09, -1.0168145915089257e-08),
    *(-3.71635889527162e-08, 7.655356628034235e-08, 2.41666290054196e-07, -6.748518442954143e-07),
    *(-1.269201646609727e-06, 6.64435840101675e-06, 9.61015944302811e-07, -6.042746911397771e-05),
    *(0.00013427690419883726, 0.00021955073508125346, -0.0023788443643842144, 0.008991370550931015),
    *(-0.023413900487157992, 0.04785535228414521, -0.08088387726414425, 0.11606881188600399),
    *(-0.14345755526401183, 0.07691930497500629),
)

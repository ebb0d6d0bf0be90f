"""Coefficients of minimax polynomials for float32 that CPU and GPU share, highest power first; see `polynomials`."""

# (ln(1 + e) - e) / e² for 0 <= e <= 1; the relative error of the logarithm is below 5.3e-9.
LOG1P_32 = (
    *(-0.0033045483, 0.020142214, -0.057548158, 0.10668882, -0.15348583),
    *(0.19693075, -0.24958146, 0.3333047, -0.4999993),
)
# log2 Φ(-a), Φ the normal distribution function, for 0 <= a <= 14.5: the error times ln 2 is below
# 1.1e-7·(1 + a²/2) for a <= 5, the rounding of such an exponent; looser beyond, where Φ is below 3e-7.
LOG2_TAIL_32 = (
    *(-2.7278822e-11, 1.9111726e-09, -5.7497456e-08, 9.733856e-07, -1.0163397e-05, 6.615729e-05),
    *(-0.00023319563, -0.00011015022, 0.0070907143, -0.052539714, -0.45919037, -1.1511071, -1.0),
)

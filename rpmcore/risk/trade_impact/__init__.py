"""What one more trade does to every limited measure, and the largest that each would let pass: the risk of the gate.

A measure is a function m(δ) of the signed change δ = s x in the weight of one asset, s = ±1 the side, x ≥ 0 the size.
"""

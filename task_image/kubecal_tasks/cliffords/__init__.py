"""Clifford groups of one and of two qubits, in the gates that a processor has: X90, virtual Z, ZX90.

Pure algebra: which gates make up each element, products, inverses, random sequences that end where they began.
"""

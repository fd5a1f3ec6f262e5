"""Payroll employees."""


def employees(org):
    return []

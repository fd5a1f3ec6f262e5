"""Payroll employees."""

"""Tenants and the targets that are theirs."""

"""Contracts: one module a feed, the tables we own, and what derives from both."""

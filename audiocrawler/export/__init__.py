"""Rows and the bytes of their objects in; a training set with its papers out.

This room opens neither store nor warehouse: rows, objects and decoded sound are handed to it.
"""

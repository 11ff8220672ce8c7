"""The distribution engines: plain values in, awards and refusals out, with the reason for each.

One module per plan model, without a base class in common, since the models react to different
facts: a sale, a join, the end of a month. Those that pay on an order return `results.Decisions`.
Nothing in here knows a database, a clock or a web framework.
"""

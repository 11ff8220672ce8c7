"""The distribution engines: plain values in, awards, refusals and places out, with reasons.

One package or module per plan model, without a base class in common, since the models react to
different facts: a sale, a join, the end of a month. Each brings its parameters, its decisions, its
worst case, what it does in the words of the law, and its explanations, and is entered in
`registry`. Nothing in here knows a database, a clock or a web framework.
"""

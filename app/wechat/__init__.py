"""The only package that talks to WeChat: the mini-program's server API and WeChat Pay v3.

It knows no database. What WeChat says comes back as small values (`values`), what a person can do
something about as errors (`errors`). Not knowing is a value too, and never a failure: a request
that timed out may have been carried out.
"""

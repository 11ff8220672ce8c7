"""Property tests never fail for being slow: the machine that runs them may be busy."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

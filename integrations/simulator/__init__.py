"""A stateful Remote (remote.com) over real HTTP, for the demo, the tests and the benchmark.

Standard library only: nothing here knows Django or the rest of the application.
"""

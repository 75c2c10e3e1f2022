"""Which versions a project runs on: requirements in, a lock out, or the chain of reasons why there is none.

Internal.
"""

#!/bin/sh
# The recordings of a real kernel, replayed, as TAP.
exec lua5.4 tests/truth/truth.lua --tap

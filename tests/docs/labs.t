#!/bin/sh
# The scenario of the fourth laboratory keeps its word.
exec "${BUILD:-build}/halfopen" check docs/labs/bulk.lua

#!/bin/sh
# The listening side's counters and queues, over time and in the end.
exec lua5.4 tests/scenarios/counters.lua

#!/bin/sh
# docs/claims.md, claim by claim, against the scenarios, tests and recordings that it names.
exec lua5.4 tests/scenarios/claims.lua

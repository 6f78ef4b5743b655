#!/bin/sh
# Goodput over a grid of loss and buffer against theory (docs/goodput.md), with
# more time a flow than the scenario takes by itself.
exec "${BUILD:-build}/halfopen" run scenarios/goodput_grid.lua --no-folder --set seconds=400

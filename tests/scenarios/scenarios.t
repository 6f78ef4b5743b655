#!/bin/sh
# The expectations of every scenario are met, and every call of the Lua face does what the manual says.
BUILD=${BUILD:-build}
exec "$BUILD/halfopen" check tests/scenarios/face.lua scenarios/*.lua

#!/bin/sh
# Every scenario says what the RFC's TCP does too: its expectations are met under either profile.
BUILD=${BUILD:-build}
exec "$BUILD/halfopen" check --profile rfc scenarios/*.lua

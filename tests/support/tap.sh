# For the tests that are shell scripts, to be sourced from the tree's top: results as
# TAP, and $dir, a folder of their own that is gone at the end. $halfopen is the program.
halfopen=$PWD/${BUILD:-build}/halfopen
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

ok() { # ok STATUS CLAIM
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

is() { # is CLAIM FOUND EXPECTED
    [ "$2" = "$3" ]
    ok $? "$1"
    [ "$2" = "$3" ] || printf '%s\n' "found: $2" "expected: $3" | sed 's/^/# /'
}

refuses() { # refuses CLAIM PATTERN COMMAND...: exit 2, one line on stderr that has PATTERN
    claim=$1 pattern=$2
    shift 2
    timeout 60 "$@" >"$dir/out" 2>"$dir/err"
    status=$?
    if [ $status -eq 2 ] && [ "$(wc -l <"$dir/err")" -eq 1 ] && grep -q -- "$pattern" "$dir/err"; then
        ok 0 "$claim"
    else
        ok 1 "$claim"
        echo "# exit status $status, expected 2 and one line with: $pattern"
        sed 's/^/# /' "$dir/err"
    fi
}

done_testing() { # the plan, when it is known
    echo "1..$n"
}

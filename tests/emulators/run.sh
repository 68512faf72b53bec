#!/bin/bash
# The AWS room against emulators that this project did not write: moto, ministack
# with authentication on, microburst between, ec2-metadata-mock. Installs them
# below RC_CACHE. RC_TEST_BUILD names the build with tests/aws_client.
set -uo pipefail

cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit
export RC_CACHE=${RC_CACHE:-$HOME/.cache/slurm-on-aws}
export RC_TEST_BUILD=${RC_TEST_BUILD:-$PWD/build}
readonly IMDS_MOCK=github.com/aws/amazon-ec2-metadata-mock/cmd/ec2-metadata-mock@v1.13.0

skip()
{
    echo "ok - emulators: $1 # SKIP $2"
}

# environment NAME PACKAGES...: a Python environment in the cache, made once;
# finished ones carry a mark, as those of ./run do.
environment()
{
    local dir=$RC_CACHE/$1
    shift
    [ -e "$dir/.complete" ] && return 0
    mkdir -p "$RC_CACHE"
    (
        flock 9
        [ -e "$dir/.complete" ] && exit 0
        rm -rf "$dir"
        python3 -m venv "$dir" && "$dir/bin/pip" -q install "$@" >&2 && touch "$dir/.complete"
    ) 9>"$RC_CACHE/.lock"
}

if [ ! -x "$RC_TEST_BUILD/tests/aws_client" ]; then
    skip "all" "$RC_TEST_BUILD/tests/aws_client is not built"
    exit 0
fi
if ! environment moto-5.2.5 'moto[server]==5.2.5' boto3==1.44.5 ||
    ! environment ministack-1.5.33 ministack==1.5.33 ||
    ! environment microburst-0.10.0 microburst==0.10.0; then
    skip "all" "the emulators cannot be installed"
    exit 0
fi
if [ ! -x "$RC_CACHE/bin/ec2-metadata-mock" ] && command -v go >/dev/null; then
    GOBIN=$RC_CACHE/bin go install "$IMDS_MOCK" >&2
fi
export PYTHONDONTWRITEBYTECODE=1
exec "$RC_CACHE/moto-5.2.5/bin/python" -m tests.emulators.check_emulators

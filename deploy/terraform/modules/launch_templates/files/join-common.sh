#!/bin/bash
# slurm-on-aws-join - makes a fresh instance a part of its cluster.
#
# Reads /etc/slurm-on-aws/join.env, the instance's tags, and what the controllers have published in
# the cluster's bucket. What an image brings already is left as it is, so the same script serves a
# plain image and one that the roles have prepared, and may run again at any time. While nothing is
# published yet it does nothing: the plays make such an instance what it is.
set -euo pipefail

readonly ENV_FILE=${RC_JOIN_ENV:-/etc/slurm-on-aws/join.env}
readonly IMDS=${RC_IMDS:-http://169.254.169.254}
readonly PUBLISHED=/var/lib/slurm-on-aws-node
# shellcheck source=/dev/null
. "$ENV_FILE"

say() { echo "slurm-on-aws-join: $*"; }

imds_token() {
    curl -sf --retry 10 --retry-connrefused -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 900' \
        "$IMDS/latest/api/token"
}

imds() {
    curl -sf --retry 5 -H "X-aws-ec2-metadata-token: $TOKEN" "$IMDS/latest/$1"
}

# The value of KEY in the credentials of the instance's role.
credential() {
    python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1" <<<"$CREDENTIALS"
}

# A signed request. Secrets go to curl on its standard input, not in its arguments.
aws_curl() {
    local service=$1
    shift
    curl -sf --retry 5 --aws-sigv4 "aws:amz:$RC_REGION:$service" -K - "$@" <<CONFIG
user = "$(credential AccessKeyId):$(credential SecretAccessKey)"
header = "X-Amz-Security-Token: $(credential Token)"
CONFIG
}

# fetch FOLDER/NAME: one of the published files. Status ABSENT: it is not there (S3 says 403 to who may
# not list). Any other failure is one: user data runs the whole again after a while.
readonly ABSENT=4
fetch() {
    local code status=0
    code=$(aws_curl s3 -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -o "$PUBLISHED/${1##*/}" -w '%{http_code}' \
        "https://$RC_PACKAGES_BUCKET.s3.$RC_REGION.amazonaws.com/$1") || status=$?
    case $status/$code in
    22/403 | 22/404) return "$ABSENT" ;;
    0/*) return 0 ;;
    esac
    say "cannot fetch $1: curl's status $status, HTTP $code"
    return "$status"
}

sign_in() {
    TOKEN=$(imds_token)
    CREDENTIALS=$(imds "meta-data/iam/security-credentials/$(imds meta-data/iam/security-credentials/)")
    mkdir -p "$PUBLISHED"
}

node_name() {
    imds meta-data/tags/instance/slurm-on-aws:node
}

# Our lines in a file that others write too; the markers are those of the hostnames role.
own_block() {
    local file=$1 lines=$2 mark="slurm-on-aws: fixed nodes"
    sed -i "/^# BEGIN $mark\$/,/^# END $mark\$/d" "$file"
    { echo "# BEGIN $mark" && cat "$lines" && echo "# END $mark"; } >>"$file"
}

add_to_fstab() {
    grep -qF "$1 $2 " /etc/fstab || echo "$1 $2 $3 $4" >>/etc/fstab
}

# missing PACKAGE...: those that are not installed, one a line.
missing() {
    local p
    for p in "$@"; do
        dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || echo "$p"
    done
}

# As the role clock does it. munge refuses what is five minutes off.
keep_time() {
    echo 'server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4' >/etc/chrony/sources.d/amazon.sources
    systemctl enable chrony
    systemctl restart chrony
}

# In another order than dpkg's a daemon would start before its configuration is in place. What was written before a
# package came stays as it is.
install_quietly() {
    [ $# -eq 0 ] && return 0
    say "installing $*"
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -o DPkg::Lock::Timeout=300 install -y -q \
        -o DPkg::Options::=--force-confold --no-install-recommends "$@"
}

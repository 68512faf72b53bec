# check_rendered.sh - sourced by run.sh: what the apply rendered: IAM, events, user data, the
# daemon's configuration; and checkov on the files.
# shellcheck shell=bash disable=SC2154,SC2094

RENDERED=$WORK/rendered
mkdir -p "$RENDERED"

show_state() {
    in_folder "$TF" show -json -no-color >"$WORK/state.json" &&
        python3 rendered.py extract "$WORK/state.json" "$RENDERED"
}
check "the applied state can be read" show_state

# --- IAM ------------------------------------------------------------------------------------

# RunInstances is granted in three statements, CreateSnapshot in two, each for some of the resources that one call needs:
# parliament judges each statement alone and misses the others' resources.
parliament_clean() {
    local policy
    for policy in "$RENDERED"/iam/*.json; do
        "$CACHE/venv/bin/parliament" --config parliament.yaml <"$policy" |
            grep -vE "^MEDIUM - No resources match for the given action.*'ec2:(RunInstances|CreateSnapshot)'" |
            sed "s|^|$(basename "$policy"): |"
    done >"$WORK/parliament"
    cat "$WORK/parliament"
    [ ! -s "$WORK/parliament" ]
}
check "parliament finds nothing in the rendered IAM policies" parliament_clean
check "what is granted is what the daemon's sources call" python3 rendered.py calls \
    "$RENDERED/iam" "$ROOT"

# --- events ---------------------------------------------------------------------------------

events_pass() {
    made ruler ruler_setup || return 1
    python3 rendered.py events "$ROOT/tests/vectors/events" "$WORK/events" &&
        java -cp "$(cat "$CACHE/ruler.classpath")" ruler/Match.java \
            "$RENDERED/patterns" "$WORK/events" >"$WORK/matches" &&
        python3 rendered.py matches "$ROOT/tests/vectors/events" "$WORK/events" "$WORK/matches"
}
if command -v java >/dev/null && command -v mvn >/dev/null; then
    check "each event that a handler wants passes AWS's rule engine, noise does not" events_pass
else
    skip "event patterns in AWS's rule engine" "java and mvn are not installed"
fi

# --- what instances and the daemon are given ------------------------------------------------

daemon_accepts() {
    # It also asks AWS, which is not there: only what it says of the file counts.
    sed "s|/etc/slurm-on-aws/policy.json|$ROOT/policies/p4d.json|" "$RENDERED/reconcilerd.json" \
        >"$WORK/reconcilerd.json"
    "$RC_BIN/reconcilerd" --config "$WORK/reconcilerd.json" --check >"$WORK/said" 2>&1
    if grep -E 'reconcilerd\.json:[0-9]+' "$WORK/said"; then
        return 1
    fi
    grep -qE '^(ok|WRONG)' "$WORK/said" || { cat "$WORK/said"; return 1; }
}
RC_BIN=${RC_BIN:-$ROOT/build/bin}
if [ -x "$RC_BIN/reconcilerd" ]; then
    check "reconcilerd accepts the configuration that Terraform writes" daemon_accepts
else
    skip "reconcilerd accepts the configuration that Terraform writes" "reconcilerd is not built"
fi

cloud_config() {
    cloud-init schema --config-file "$1"
}
# EC2's limit, before base64.
fits_in_user_data() {
    local file
    for file in "$RENDERED"/user-data-*; do
        [ "$(stat -c %s "$file")" -le 16384 ] || { ls -l "$file" && return 1; }
    done
}
# What cloud-init would write and run, in one piece as it is written.
join_script_is_sound() {
    python3 - "$1" "$WORK/join" <<'PYTHON' && bash -n "$WORK/join" && shellcheck -e SC1091 "$WORK/join"
import sys, yaml
files = {f["path"]: f for f in yaml.safe_load(open(sys.argv[1]))["write_files"]}
open(sys.argv[2], "w").write(files["/usr/local/sbin/slurm-on-aws-join"]["content"])
PYTHON
}
check "user data fits into EC2's 16 KiB" fits_in_user_data
if command -v cloud-init >/dev/null; then
    for group in cpu gpu ctl; do
        check "cloud-init accepts the user data of $group instances" cloud_config "$RENDERED/user-data-$group"
        check "the script in it is sound ($group)" join_script_is_sound "$RENDERED/user-data-$group"
    done
else
    skip "cloud-init accepts the user data" "cloud-init is not installed"
fi
check "the inventory can be read and names every node" python3 rendered.py inventory \
    "$RENDERED/inventory.ini"

# --- checkov --------------------------------------------------------------------------------

checkov_clean() {
    made checkov venv checkov checkov==3.3.30 || return 1
    # --skip-check: the ids of checkov.skip, each with its reason.
    "$CACHE/checkov/bin/checkov" -d "$ROOT/deploy/terraform" --framework terraform --quiet \
        --compact --skip-download \
        --skip-check "$(grep -oE '^CKV[A-Z0-9_]+' checkov.skip | paste -sd,)"
}
every_skip_has_a_reason() {
    ! grep -vE '^(#.*|CKV[A-Z0-9_]+ .{20,})?$' checkov.skip
}
check "checkov finds nothing that is not skipped with a reason" checkov_clean
check "every skipped check of checkov has its reason" every_skip_has_a_reason

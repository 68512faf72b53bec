# check_slurm_conf.sh - sourced by run.sh: the Slurm configuration as the slurm role renders it, and who is told to read it.
# shellcheck shell=bash disable=SC2154

# The templates of the slurm role as the play would write them.
render() {
    cat >"$A/render.yml" <<'PLAY'
- name: Render
  hosts: ctl-1
  connection: local
  gather_facts: false
  vars:
    slurm_nodes_now: { content: "{{ rendered_before | b64encode }}" }
    slurm_database_ca: /ca.pem
    slurm_database: { stdout_lines: [slurm, secret] }
  tasks:
    - name: Templates
      ansible.builtin.template:
        src: "roles/slurm/templates/{{ item }}.j2"
        dest: "{{ rendered_out }}/{{ item }}"
        mode: "0644"
      loop: [slurm.conf, gres.conf, cgroup.conf, topology.conf, slurmdbd.conf]
PLAY
    mkdir -p "$WORK/slurm"
    ansible ansible-playbook render.yml -e "rendered_out=$WORK/slurm ansible_become=false" \
        -e "{\"rendered_before\": \"$1\", \"slurm_admit\": {\"stat\": {\"exists\": ${2:-false}}}, \"ansible_python_interpreter\": \"$(command -v python3)\"}"
}
check "the Slurm configuration renders" render ""

# The place of a controller in SlurmctldHost, in the daemon's configuration and in its gate is one.
slurmctld_gates() {
    cat >"$A/gates.yml" <<'PLAY'
- name: Render
  hosts: controllers
  connection: local
  gather_facts: false
  tasks:
    - name: Gate
      ansible.builtin.template:
        src: roles/reconciler/templates/admit.conf.j2
        dest: "{{ rendered_out }}/admit-{{ inventory_hostname }}.conf"
        mode: "0644"
PLAY
    ansible ansible-playbook gates.yml -e "rendered_out=$WORK/slurm ansible_become=false" \
        -e "ansible_python_interpreter=$(command -v python3)" || return 1
    python3 - "$WORK/slurm" "$RENDERED/reconcilerd.json" <<'PYTHON'
import json, pathlib, re, sys
folder = pathlib.Path(sys.argv[1])
hosts = re.findall(r"^SlurmctldHost=([^(]+)", (folder / "slurm.conf").read_text(), re.M)
told = [c["host"] for c in json.loads(pathlib.Path(sys.argv[2]).read_text())["controllers"]["hosts"]]
gates = [re.search(r"^ExecCondition=\S+/rc-controller-helper admit --index (\d)$",
                   (folder / f"admit-{host}.conf").read_text(), re.M).group(1) for host in hosts]
sys.exit(f"{hosts} {told} {gates}" if (hosts, gates) != (told, ["0", "1"]) else 0)
PYTHON
}
check "slurmctld's gate, slurm.conf and the daemon count the controllers alike" slurmctld_gates

# scontrol reads the whole file before it asks anybody; nobody is there to answer.
slurm_accepts() {
    local conf=$WORK/slurm
    sed -E -e 's|^(SlurmctldHost=[^(]*)\(.*|\1(127.0.0.1)|' -e 's|^Auth.*|AuthType=auth/none|' \
        -e 's|^MessageTimeout=.*|MessageTimeout=2|' "$conf/slurm.conf" >"$conf/parsed.conf"
    echo "SlurmctldPort=1" >>"$conf/parsed.conf"
    SLURM_CONF=$conf/parsed.conf timeout 60 scontrol ping >"$WORK/said" 2>&1
    cat "$WORK/said"
    grep -q 'is DOWN' "$WORK/said" && ! grep -qiE 'pars(e|ing) error|fatal|unrecognized|invalid' "$WORK/said" &&
        grep -q '^SlurmctldTimeout=65533$' "$conf/slurm.conf"
}
if command -v scontrol >/dev/null; then
    check "Slurm's own parser takes the rendered slurm.conf" slurm_accepts
else
    skip "Slurm's own parser takes the rendered slurm.conf" "slurm-client is not installed"
fi

# Made up: every type has 48 cores with two threads each. A c7a.medium is taken for one socket, a p4d known for two.
cores_are_where_the_gpus_are() {
    grep -qE '^NodeName=cpu-1 .* CPUs=96 Sockets=1 CoresPerSocket=48 ThreadsPerCore=2 ' "$WORK/slurm/slurm.conf" &&
        grep -qE '^NodeName=gpu-1 .* CPUs=96 Sockets=2 CoresPerSocket=24 ThreadsPerCore=2 ' "$WORK/slurm/slurm.conf" &&
        diff - <(grep '^NodeName=' "$WORK/slurm/gres.conf") <<'GRES'
NodeName=gpu-1,gpu-2 Name=gpu Type=a100 File=/dev/nvidia[0-3] Cores=0-23
NodeName=gpu-1,gpu-2 Name=gpu Type=a100 File=/dev/nvidia[4-7] Cores=24-47
GRES
}
check "slurm.conf has the sockets of the type, gres.conf the cores beside each GPU" cores_are_where_the_gpus_are

# slurmd answers while a step ends: Slurm 24.05 and later complain of less than five times MessageTimeout.
killed_steps_have_time() {
    python3 - "$WORK/slurm/slurm.conf" <<'PYTHON'
import re, sys
seconds = {k: int(v) for k, v in re.findall(r"^(\w+)=(\d+)$", open(sys.argv[1]).read(), re.M)}
print(seconds)
sys.exit(not seconds["UnkillableStepTimeout"] >= max(180, 5 * seconds["MessageTimeout"], 2 * seconds["KillWait"]))
PYTHON
}
check "a killed step has the time that GPUs take to end before its node is drained" killed_steps_have_time

registered_address_stays() {
    render "NodeName=gpu-1 NodeAddr=10.20.16.77 CPUs=96" &&
        grep -q '^NodeName=gpu-1 NodeAddr=10.20.16.77 ' "$WORK/slurm/slurm.conf" &&
        grep -qE '^NodeName=gpu-2 NodeAddr=10\.20\.[0-9.]+ .*Gres=gpu:a100:8' "$WORK/slurm/slurm.conf"
}
check "an address that the daemon has registered survives the play" registered_address_stays

# Of a controller too, once the daemon decides where slurmctld runs; before, the inventory is right.
controllers_address_stays() {
    render "SlurmctldHost=ctl-2(10.20.32.77)" true &&
        grep -qx 'SlurmctldHost=ctl-2(10.20.32.77)' "$WORK/slurm/slurm.conf" &&
        grep -qE '^SlurmctldHost=ctl-1\(10\.20\.[0-9.]+\)$' "$WORK/slurm/slurm.conf" &&
        render "SlurmctldHost=ctl-2(10.20.32.77)" false &&
        ! grep -q '10\.20\.32\.77' "$WORK/slurm/slurm.conf"
}
check "the address of a controller that was launched anew survives it too" controllers_address_stays

# A node has no instance for a while: Terraform leaves it out of the inventory, slurm.conf must not change.
a_node_away_changes_nothing() {
    local status=0
    render "" && cp "$WORK/slurm/slurm.conf" "$WORK/slurm/all.conf" && cp "$A/inventory.ini" "$WORK/inventory.ini" || return 1
    sed -i '/^gpu-2 /d' "$A/inventory.ini"
    render "NodeName=gpu-2 NodeAddr=$(sed -nE 's/^NodeName=gpu-2 NodeAddr=(\S+) .*/\1/p' "$WORK/slurm/all.conf") CPUs=96" &&
        grep -q '^TopologyPlugin=' "$WORK/slurm/all.conf" && diff "$WORK/slurm/all.conf" "$WORK/slurm/slurm.conf" || status=1
    cp "$WORK/inventory.ini" "$A/inventory.ini"
    return "$status"
}
check "slurm.conf is the same while a GPU node is being replaced" a_node_away_changes_nothing

# reconfigures VERSION NODES: the handler with a scontrol of that version whose slurmctld has these nodes
# ("" = does not run); slurm.conf has gpu-1 and gpu-2. Prints what it was asked for.
reconfigures() {
    local dir=$WORK/reconfigures
    mkdir -p "$dir/bin" "$dir/etc"
    printf 'NodeName=DEFAULT CPUs=1\nNodeName=gpu-[1-2] NodeAddr=a\n' >"$dir/etc/slurm.conf"
    cat >"$dir/bin/scontrol" <<SCONTROL
#!/bin/sh
case \$* in
--version) echo "$1" ;;
"show hostnames gpu-[1-2]") printf 'gpu-1\ngpu-2\n' ;;
"--oneliner show nodes") [ -n "$2" ] && printf 'NodeName=%s Arch=x86_64\n' $2 ;;
reconfigure) echo reconfigure >>"$dir/asked" ;;
*) exit 9 ;;
esac
SCONTROL
    chmod +x "$dir/bin/scontrol"
    : >"$dir/asked"
    cat >"$A/reconfigures.yml" <<'PLAY'
- name: Change the configuration
  hosts: localhost
  connection: local
  gather_facts: false
  vars_files: [roles/slurm/defaults/main.yml]
  tasks:
    - name: Change it
      ansible.builtin.command: "true"
      notify: Reconfigure Slurm
  handlers:
    - name: The role's
      ansible.builtin.import_tasks: roles/slurm/handlers/main.yml
PLAY
    (PATH=$dir/bin:$PATH && ansible ansible-playbook reconfigures.yml -e "slurm_state=$dir ansible_become=false" \
        -e "ansible_python_interpreter=$(command -v python3)") >"$dir/out" 2>&1 || { cat "$dir/out" && return 1; }
    tr -s '[:space:]' ' ' <"$dir/out" | grep -q 'cannot take them' && echo told
    cat "$dir/asked"
}
old_slurmctld_gets_no_other_nodes() {
    local old="slurm-wlm 22.05.8" row want
    for row in "$old:gpu-1 gpu-2:reconfigure" "$old:gpu-1:told" "$old:gpu-1 gpu-2 gpu-3:told" "$old::" \
        "slurm 23.02.7:gpu-1:told" "slurm-wlm 23.11.4:gpu-1:reconfigure" "slurm 24.11.5:gpu-1:reconfigure"; do
        want=${row##*:} row=${row%:*}
        if [ "$(reconfigures "${row%:*}" "${row#*:}")" != "$want" ]; then
            echo "$row"
            cat "$WORK/reconfigures/out"
            return 1
        fi
    done
}
check "a slurmctld before 23.11 is not told to take another number of nodes, which ends it" old_slurmctld_gets_no_other_nodes

# check_roles.sh - sourced by run.sh: the roles, and what cluster-aws asks AWS for.
# shellcheck shell=bash disable=SC2154

ansible_setup() {
    made ansible venv ansible ansible==12.2.0
}
check "Ansible is there" ansible_setup
A=$WORK/ansible-tree/deploy/ansible
mkdir -p "$WORK/ansible-tree/deploy" "$WORK/ansible-tree/policies"
cp -r "$D/ansible" "$WORK/ansible-tree/deploy/"
cp "$ROOT/policies/p4d.json" "$WORK/ansible-tree/policies/"
cp "$RENDERED/inventory.ini" "$A/inventory.ini"
cp "$RENDERED/terraform.json" "$A/group_vars/all/terraform.json"
cp "$RENDERED/ansible-reconcilerd.json" "$A/group_vars/all/reconcilerd.json"

ansible() {
    (cd "$A" && env -u ANSIBLE_CONFIG ANSIBLE_CONFIG="$A/ansible.cfg" ANSIBLE_HOME="$WORK/ansible-home" \
        PATH="$CACHE/ansible/bin:$PATH" "$@")
}
for play in "$A"/*.yml; do
    check "$(basename "$play") is sound" ansible ansible-playbook --syntax-check "$(basename "$play")"
done
# The syntax check of a play does not open the files that a role includes.
every_file_parses() {
    "$CACHE/ansible/bin/python" -c 'import pathlib, sys, yaml
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.yml")):
    try:
        yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        sys.exit(f"{path}: {error}")' "$A"
}
check "every file of the roles parses" every_file_parses

names_every_node() {
    ansible ansible-inventory --list >"$WORK/inventory.json" &&
        python3 -c 'import json, sys
groups = json.load(open(sys.argv[1]))
sys.exit(not (groups["gpu"]["hosts"] == ["gpu-1", "gpu-2"]
              and set(groups["compute"]["children"]) == {"cpu", "gpu"}))' "$WORK/inventory.json"
}
check "Ansible reads Terraform's inventory" names_every_node

topology_by_aws() {
    python3 - "$D/ansible/roles/slurm/files/cluster-aws" "$WORK/topology.conf" <<'PYTHON'
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.SourceFileLoader("cluster_aws", sys.argv[1])
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("cluster_aws", loader))
loader.exec_module(module)
import contextlib, io, urllib.error, xml.etree.ElementTree as xml
def items(name, rows):
    return f"<{name}>" + "".join(f"<item>{row}</item>" for row in rows) + f"</{name}>"
def instance(i, node, kind, launched=1):
    return items("instancesSet", [f"<instanceId>{i}</instanceId><instanceType>{kind}</instanceType>"
        f"<launchTime>2026-01-0{launched}T00:00:00.000Z</launchTime>"
        + items("tagSet", [f"<key>slurm-on-aws:node</key><value>{node}</value>"])])
there = [instance("i-1", "gpu-1", "p4d"), instance("i-2", "gpu-2", "p4d"), instance("i-3", "gpu-3", "p4d", 2),
         instance("i-0", "gpu-3", "p4d"), instance("i-4", "cpu-1", "c7a"), instance("i-5", "ctl-1", "t3")]
leaf = {"i-0": "nn-b", "i-1": "nn-a", "i-2": "nn-b", "i-3": "nn-a"}
asked = []
def ec2(region, action, **parameters):
    if action == "DescribeInstances":
        yield xml.fromstring("<r>" + items("reservationSet", there) + "</r>")
        return
    ids = [v for k, v in parameters.items() if k.startswith("InstanceId.")]
    asked.append(ids)
    if not set(ids) <= set(leaf):  # as AWS does when one of them is of a type that it does not tell of
        raise urllib.error.HTTPError("https://ec2", 400, "UnsupportedOperation", {}, io.BytesIO())
    yield xml.fromstring("<r>" + items("instanceSet", [f"<instanceId>{i}</instanceId>" + items(
        "networkNodeSet", ["nn-top", "nn-mid", leaf[i]]) for i in ids]) + "</r>")
module.ec2 = ec2
def told(nodes, path="/nonexistent"):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        module.topology("us-east-1", "a", nodes, path)
    return out.getvalue()
nodes, wrong = "gpu-3,gpu-2,gpu-1,cpu-1,cpu-9", []
want = ["SwitchName=nn-a Nodes=gpu-1,gpu-3", "SwitchName=nn-b Nodes=gpu-2", "SwitchName=unknown Nodes=cpu-1,cpu-9",
        "SwitchName=nn-mid Switches=nn-a,nn-b", "SwitchName=nn-top Switches=nn-mid",
        "SwitchName=core Switches=nn-top,unknown"]
lines = told(nodes).splitlines()
wrong += [] if lines[1:] == want and lines[0][0] == "#" else ["AWS tells:", *lines]
wrong += [] if asked == [["i-1", "i-2", "i-3", "i-4"], ["i-4"], ["i-1", "i-2", "i-3"]] else [f"asked: {asked}"]
# Nothing told: a file that names every node stays, another one is no answer.
leaf.clear()
old = sys.argv[2]
with open(old, "w") as f:
    f.write("# of gpu-9\nSwitchName=a Nodes=gpu-[1-2],gpu-[3,08-10] LinkSpeed=1\n switchname=b nodes=cpu-1,cpu-9\n")
wrong += [] if told(nodes, old) == open(old).read() and told("gpu-10,gpu-08", old) else ["a whole file does not stay"]
wrong += [] if told("gpu-1,gpu-4", old) == told(nodes) == told("gpu-9", old) == "" else ["a file without a node stays"]
print("\n".join(wrong))
sys.exit(bool(wrong))
PYTHON
}
check "topology.conf is made from DescribeInstanceTopology's network nodes, and stays where AWS does not tell" topology_by_aws
password_is_followed() {
    python3 - "$D/ansible/roles/slurm/files/cluster-aws" <<'PYTHON'
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.SourceFileLoader("cluster_aws", sys.argv[1])
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("cluster_aws", loader))
loader.exec_module(module)
conf = "# by hand\nStorageUser=slurm\nStoragePass=old=1\n#StoragePass=x\nStorageLoc=slurm_acct_db\n"
want = "# by hand\nStorageUser=slurm\nStoragePass=n\\\\1\\#ew=2\n#StoragePass=x\nStorageLoc=slurm_acct_db\n"
sys.exit(module.with_account(conf, "slurm", "n\\1#ew=2") != want or module.with_account(want, "slurm", "n\\1#ew=2") != want)
PYTHON
}
check "slurmdbd.conf gets the database's new password, and nothing else" password_is_followed

# A metadata service that is busy twice, an endpoint that is not there at first, and a refusal.
aws_is_asked_again() {
    python3 - "$D/ansible/roles/slurm/files/cluster-aws" <<'PYTHON'
import http.server, importlib.machinery, importlib.util, sys, threading, urllib.error, urllib.request
loader = importlib.machinery.SourceFileLoader("cluster_aws", sys.argv[1])
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("cluster_aws", loader))
loader.exec_module(module)
module.WAITS_S = (0.1, 0.1, 0.1)
answers, asked = [503, 429, 200, 403, 503, 503, 503, 503], []
class Service(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        asked.append(self.path)
        self.send_response(answers[len(asked) - 1])
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"token")
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Service)
module.IMDS = f"http://127.0.0.1:{server.server_port}"
late = threading.Timer(0.15, server.serve_forever)
late.daemon = True
late.start()
assert module.imds("api/token") == "token" and len(asked) == 3, asked
for tries, code in ((1, 403), (4, 503)):
    before = len(asked)
    try:
        module.imds("api/token")
        raise SystemExit("no refusal")
    except urllib.error.HTTPError as e:
        assert e.code == code and len(asked) == before + tries, (e.code, asked)
server.shutdown()
server.server_close()
try:
    module.imds("api/token")
    raise SystemExit("nobody is there")
except OSError:
    pass
PYTHON
}
check "AWS is asked again where it does not answer, and not where it refuses" aws_is_asked_again

# The role's file, and the one that a fresh machine writes in its first boot; chrony is among what it installs first.
clocks_are_kept() {
    local line join=$D/terraform/modules/launch_templates/files
    line=$("$CACHE/ansible/bin/python" -c 'import sys, yaml
print(next(t["ansible.builtin.copy"]["content"] for t in yaml.safe_load(open(sys.argv[1])) if "ansible.builtin.copy" in t), end="")' \
        "$A/roles/clock/tasks/main.yml")
    grep -qxE 'server 169\.254\.169\.123 prefer iburst minpoll 4 maxpoll 4' <<<"$line" &&
        grep -qF "echo '$line' >/etc/chrony/sources.d/amazon.sources" "$join/join-common.sh" &&
        sed -n '/^wanted_packages()/,/^}/p' "$join/join-node.sh" | grep -qw chrony &&
        sed -n '/^install_controller()/,/^}/p' "$join/join-controller.sh" | grep -qw chrony &&
        grep -qx '    - clock' "$A/play-hostnames.yml" || return 1
    for line in node controller; do
        [ "$(sed -n '/^main()/,/^}/p' "$join/join-$line.sh" | grep -oE '^    (install_packages|install_controller|keep_time)' | tr -d ' ' | tail -n 1)" = keep_time ] || return 1
    done
}
check "roles and first boots keep every clock by Amazon's time service" clocks_are_kept

# What a login node mounts of the state: "SOURCE OPTIONS", with the state on EFS or on the NFS server.
login_mounts() {
    "$CACHE/ansible/bin/python" - "$A/roles/slurm" "$1" <<'PYTHON'
import pathlib, re, sys, jinja2, yaml
role, variables = pathlib.Path(sys.argv[1]), {"state_on": sys.argv[2], "efs_dns_name": "fs-1.efs", "groups": {"nfs": ["nfs-1"]}, "slurm_state": "/state"}
env = jinja2.Environment()
env.filters["regex_replace"] = lambda text, pattern, by: re.sub(pattern, by, text)
source = yaml.safe_load((role / "defaults/main.yml").read_text())["slurm_state_source"]
variables["slurm_state_source"] = env.from_string(source).render(variables)
for task in yaml.safe_load((role / "tasks/login.yml").read_text()):
    mount = task.get("ansible.posix.mount")
    if mount:
        print(*(env.from_string(mount[k]).render(variables) for k in ("path", "src", "opts")))
PYTHON
}
login_mounts_the_configuration() {
    local options=ro,nfsvers=4.1,hard,noresvport,nofail,_netdev
    diff <(login_mounts efs) - <<<"/etc/slurm fs-1.efs:/etc $options" &&
        diff <(login_mounts nfs) - <<<"/etc/slurm nfs-1:/export/slurm-state/etc $options"
}
check "a login node mounts the configuration, read-only, and no more of the state" login_mounts_the_configuration

# The rules of Debian 12 and Ubuntu 24.04, and Debian 13's, which is right; the task twice.
rotation_is_no_reconfigure() {
    local dir=$WORK/logrotate service
    mkdir -p "$dir"
    rule() { printf '/var/log/slurm/%s.log {\n  size=5M\n  postrotate\n      %s\n      /bin/sleep 1\n  endscript\n}\n' "$1" "$2"; }
    {
        printf -- '- name: Rotate\n  hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n'
        awk '/^- name:/ { on = /rotation of their logs/ } /^(#.*)?$/ { on = 0 } on' "$A/roles/slurm/tasks/controller.yml" |
            sed -e 's/^/    /' -e "s|/etc/logrotate.d|$dir|"
    } >"$A/rotation.yml"
    for service in slurmctld slurmdbd; do
        rule "$service" "/usr/sbin/invoke-rc.d --quiet $service reconfig >/dev/null" >"$dir/$service"
        rule "$service" "/usr/bin/systemctl kill --kill-whom=main --signal=USR2 $service.service || true" >"$dir/$service.want"
    done
    ansible ansible-playbook rotation.yml -e ansible_become=false && diff "$dir/slurmctld.want" "$dir/slurmctld" &&
        diff "$dir/slurmdbd.want" "$dir/slurmdbd" || return 1
    rule slurmdbd "/usr/sbin/start-stop-daemon -s USR2 --stop -x /usr/sbin/slurmdbd -q" >"$dir/slurmdbd"
    ansible ansible-playbook rotation.yml -e ansible_become=false | grep 'changed=0 .*failed=0'
}
check "a rotation of slurmctld's or slurmdbd's log is no new configuration" rotation_is_no_reconfigure

# The role's first task on a machine of that release.
driver_on() {
    {
        printf -- '- name: Install the driver\n  hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n'
        awk '/^- name:/ { task++ } task == 1' "$A/roles/nvidia_drivers/tasks/main.yml" | sed 's/^/    /'
    } >"$A/driver.yml"
    ansible ansible-playbook driver.yml -e ansible_become=false -e nvidia_driver_branch=570 \
        -e "{\"ansible_facts\": {\"distribution\": \"$1\", \"distribution_major_version\": \"$2\"}}"
}
no_driver_for_debian_13() {
    driver_on Debian 12 && driver_on Ubuntu 24 && ! driver_on Debian 13 >"$WORK/driver" && grep -q 'begin with driver branch 590' "$WORK/driver"
}
check "the driver's role goes no further on Debian 13, before anything is changed" no_driver_for_debian_13

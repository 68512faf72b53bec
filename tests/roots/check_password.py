"""RDS changes the password of its user every week by itself: accounting must go on, on both controllers."""
from tests.roots.check_roots import accounted, submit
from tests.roots.root_world import python

NEW = "another\\1pass#word=2"
CHANGE = """
import boto3, json, sys
secrets = boto3.client("secretsmanager", endpoint_url="http://127.0.0.1:5000", region_name="us-east-1",
                       aws_access_key_id="rds", aws_secret_access_key="rds")
secrets.put_secret_value(SecretId=sys.argv[1], SecretString=json.dumps({"username": "slurm", "password": sys.argv[2]}))
"""


def password_changes(cluster):
    sql = NEW.replace("\\", "\\\\")
    cluster.roots["db"].run("mysql", "-e", f"ALTER USER 'slurm'@'%' IDENTIFIED BY '{sql}'")
    python("-c", CHANGE, cluster.made["ids"]["secret of the database"], NEW)
    old = {name: cluster.roots[name].shell("pidof slurmdbd") for name in ("ctl-1", "ctl-2")}
    for name in old:
        cluster.roots[name].run("systemctl", "start", "slurm-on-aws-database.service")  # its timer: within five minutes
    conf = cluster.roots["ctl-2"].shell("stat -c '%U %a' /etc/slurm/slurmdbd.conf; cat /etc/slurm/slurmdbd.conf")
    if "StoragePass=another\\\\1pass\\#word=2\n" not in conf or not conf.startswith("slurm 600"):
        return conf
    same = [name for name, pid in old.items() if cluster.roots[name].shell("pidof slurmdbd", check=False) in ("", pid)]
    if same:
        return f"{same}: slurmdbd was not started again\n" + cluster.roots[same[0]].shell(
            "journalctl -u slurm-on-aws-database -u slurmdbd --no-pager -n 20 -o cat", check=False)
    row = accounted(cluster, submit(cluster, "sample.slurm"))
    # A second look finds nothing to do.
    again = {name: cluster.roots[name].shell("pidof slurmdbd") for name in old}
    for name in again:
        cluster.roots[name].run("systemctl", "start", "slurm-on-aws-database.service")
    calm = all(cluster.roots[name].shell("pidof slurmdbd") == pid for name, pid in again.items())
    return "" if row.startswith("COMPLETED") and calm else f"{row} calm: {calm}"

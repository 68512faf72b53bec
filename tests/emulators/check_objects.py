"""Objects put into the S3 of emulators, read back by boto3; called by check_emulators.py."""
import os
import time


def stored(s3, bucket, key):
    got = s3.get_object(Bucket=bucket, Key=key)
    return got["Body"].read(), got["ContentType"]


def check_objects(check, client, s3, folder, server):
    """What is put is what stands there afterwards, whatever its name, size and bytes."""
    s3.create_bucket(Bucket="evidence")
    rows = {"prod/12-gpu-1/node.tar.gz": os.urandom(3_000_000), "prod/empty": b"",
            "a b/\u00fc+=&?#%41~.txt": b"a name that must be encoded"}
    for key, body in rows.items():
        path = folder / "object"
        path.write_bytes(body)
        done = client("put-object", "evidence", key, "application/gzip", str(path))
        got = stored(s3, "evidence", key) if done.error == "ok" else None
        check(got == (body, "application/gzip"),
              f"{server} stores {len(body)} bytes under {key.encode('ascii', 'replace').decode()}", done)
    done = client("put-object", "nowhere-at-all", "k", "text/plain", str(path))
    check(done.error == "not-found" and len(done.attempts) == 1,
          f"{server}: a bucket that is not there is told, once", done)
    return str(path)


def check_object_signatures(check, client, s3, path):
    done = client("put-object", "evidence", "refused", "text/plain", path,
                  AWS_SECRET_ACCESS_KEY="wrong")
    keys = [row["Key"] for row in s3.list_objects_v2(Bucket="evidence").get("Contents", [])]
    check(done.error == "credentials" and "refused" not in keys,
          "an object with a wrong signature is refused", f"{done}{keys}")


def check_object_faults(check, client, proxy, s3, path):
    broken = client.through(proxy)
    proxy.rules({"service": "s3", "operation": "PutObject", "times": 1,
                 "error": {"code": "SlowDown", "status": 503}})
    begun = time.monotonic()
    done = broken("put-object", "evidence", "slow", "text/plain", path)
    check(done.error == "ok" and len(done.attempts) == 2 and "slow" in [
        row["Key"] for row in s3.list_objects_v2(Bucket="evidence").get("Contents", [])],
          "an object is put again after SlowDown", f"{done}{time.monotonic() - begun:.1f} s")

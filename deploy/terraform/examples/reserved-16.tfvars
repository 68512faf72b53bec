# Sixteen p4d nodes in a reservation that is made here, from an image with drivers.
cluster_name       = "train-a"
availability_zones = ["us-east-1d", "us-east-1a"]
ssh_cidrs          = ["203.0.113.0/24"]
ssh_public_key     = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBaIo1yAMOVLlGSEQtIf6gTLqhKl1YvWCD0iPR8pFqcO you@example.com"
controller         = { count = 2, type = "m7i.xlarge" }
gpu                = { count = 16, ami_id = "ami-0123456789abcdef0" }
gpu_capacity       = { kind = "reserved", create = true }
nfs                = { count = 1, type = "m7i.4xlarge", data_gb = 2000 }
gluster            = { count = 6, type = "m7i.4xlarge", brick_gb = 4000 }
database           = { class = "db.m7g.large", multi_az = true }

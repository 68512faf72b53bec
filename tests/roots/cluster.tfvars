# The cluster of the booted roots: as small as it can be and still have every part.
cluster_name       = "prod-a"
environment        = "test"
os                 = "debian-12"
availability_zones = ["us-east-1a", "us-east-1b"]
ssh_cidrs          = ["203.0.113.0/24"]
ssh_public_key     = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBaIo1yAMOVLlGSEQtIf6gTLqhKl1YvWCD0iPR8pFqcO you@example.com"
cpu                = { count = 2 }
gpu                = { count = 1 }

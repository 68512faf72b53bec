mock_provider "local" {}

variables {
  directory = "out"
  ssh_user  = "ubuntu"
  fixed = {
    login-1 = { id = "i-1", kind = "login", private_ip = "10.20.0.5", public_ip = "198.51.100.7" }
    ctl-1   = { id = "i-2", kind = "controller", private_ip = "10.20.16.5", public_ip = "" }
    nfs-1   = { id = "i-3", kind = "storage", private_ip = "10.20.16.6", public_ip = "", data_volume = "vol-0123456789abcdef0" }
  }
  compute = {
    gpu-1 = { group = "gpu", id = "i-4", private_ip = "10.20.16.7" }
    gpu-2 = { group = "gpu", id = "", private_ip = "" }
  }
  cluster     = { cluster_name = "prod-a" }
  reconcilerd = { cluster = { name = "prod-a" } }
}

run "everybody_is_in_the_inventory" {
  command = plan
  assert {
    condition     = length(regexall("(?m)^ctl-1 ansible_host=10.20.16.5 ", output.inventory)) == 1 && length(regexall("(?m)^gpu-1 ansible_host=10.20.16.7 ", output.inventory)) == 1
    error_message = "nodes with their addresses: ${output.inventory}"
  }
  assert {
    condition     = length(regexall("(?m)^nfs-1 ansible_host=10.20.16.6 private_ip=10.20.16.6 data_volume=vol-0123456789abcdef0$", output.inventory)) == 1
    error_message = "a server's volume by its id: ${output.inventory}"
  }
  assert {
    condition     = !strcontains(output.inventory, "gpu-2")
    error_message = "a node that is being replaced is left out"
  }
  assert {
    condition     = strcontains(output.inventory, "ProxyJump=ubuntu@198.51.100.7")
    error_message = "everything inside is reached through login"
  }
}

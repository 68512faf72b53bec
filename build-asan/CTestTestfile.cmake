# CMake generated Testfile for 
# Source directory: /work/wt/slurm
# Build directory: /work/wt/slurm/build-asan
# 
# This file includes the relevant testing commands required for 
# testing this directory and lists subdirectories to be tested as well.
subdirs("reconciler/core")
subdirs("reconciler/io")
subdirs("tests")

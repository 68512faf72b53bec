# CMake generated Testfile for 
# Source directory: /work/wt/slurm/reconciler/core
# Build directory: /work/wt/slurm/build-asan/reconciler/core
# 
# This file includes the relevant testing commands required for 
# testing this directory and lists subdirectories to be tested as well.

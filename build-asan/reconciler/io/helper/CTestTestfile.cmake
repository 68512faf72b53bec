# CMake generated Testfile for 
# Source directory: /work/wt/slurm/reconciler/io/helper
# Build directory: /work/wt/slurm/build-asan/reconciler/io/helper
# 
# This file includes the relevant testing commands required for 
# testing this directory and lists subdirectories to be tested as well.

# CMake generated Testfile for 
# Source directory: /work/wt/slurm/reconciler/io
# Build directory: /work/wt/slurm/build-asan/reconciler/io
# 
# This file includes the relevant testing commands required for 
# testing this directory and lists subdirectories to be tested as well.
subdirs("helper")

# CMake generated Testfile for 
# Source directory: /work/wt/slurm/tests
# Build directory: /work/wt/slurm/build-asan/tests
# 
# This file includes the relevant testing commands required for 
# testing this directory and lists subdirectories to be tested as well.
subdirs("unit/core")
subdirs("unit/helper")

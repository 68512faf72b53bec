# CMake generated Testfile for 
# Source directory: /work/wt/slurm/tests/unit/core
# Build directory: /work/wt/slurm/build-asan/tests/unit/core
# 
# This file includes the relevant testing commands required for 
# testing this directory and lists subdirectories to be tested as well.
add_test([=[test_names]=] "/work/wt/slurm/build-asan/tests/test_names")
set_tests_properties([=[test_names]=] PROPERTIES  LABELS "unit" WORKING_DIRECTORY "/work/wt/slurm" _BACKTRACE_TRIPLES "/work/wt/slurm/tests/CMakeLists.txt;11;add_test;/work/wt/slurm/tests/unit/core/CMakeLists.txt;1;rc_test;/work/wt/slurm/tests/unit/core/CMakeLists.txt;0;")

# CMake generated Testfile for 
# Source directory: /work/wt/slurm/tests/unit/helper
# Build directory: /work/wt/slurm/build-asan/tests/unit/helper
# 
# This file includes the relevant testing commands required for 
# testing this directory and lists subdirectories to be tested as well.
add_test([=[test_line]=] "/work/wt/slurm/build-asan/tests/test_line")
set_tests_properties([=[test_line]=] PROPERTIES  LABELS "unit" WORKING_DIRECTORY "/work/wt/slurm" _BACKTRACE_TRIPLES "/work/wt/slurm/tests/CMakeLists.txt;11;add_test;/work/wt/slurm/tests/unit/helper/CMakeLists.txt;1;rc_test;/work/wt/slurm/tests/unit/helper/CMakeLists.txt;0;")
add_test([=[test_helper_client]=] "/work/wt/slurm/build-asan/tests/test_helper_client")
set_tests_properties([=[test_helper_client]=] PROPERTIES  LABELS "unit" WORKING_DIRECTORY "/work/wt/slurm" _BACKTRACE_TRIPLES "/work/wt/slurm/tests/CMakeLists.txt;11;add_test;/work/wt/slurm/tests/unit/helper/CMakeLists.txt;7;rc_test;/work/wt/slurm/tests/unit/helper/CMakeLists.txt;0;")

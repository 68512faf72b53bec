# Run by the build: writes rc_commit.c when the commit or its cleanness has changed.
# RC_COMMIT in the environment wins: packages are built outside of the work tree.
set(commit "$ENV{RC_COMMIT}")
if(commit STREQUAL "")
  execute_process(
    COMMAND git -C "${SOURCE}" rev-parse --short=12 HEAD
    OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  execute_process(
    COMMAND git -C "${SOURCE}" diff --quiet HEAD
    RESULT_VARIABLE differs ERROR_QUIET OUTPUT_QUIET)
  if(NOT commit STREQUAL "" AND NOT differs EQUAL 0)
    set(commit "${commit}+")
  endif()
endif()
if(NOT commit MATCHES "^[0-9A-Za-z.+~-]+$")
  set(commit "unknown")
endif()
set(text "#include \"simulator/report/commit.h\"\n\nconst char rc_commit[] = \"${commit}\";\n")
set(old "")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" old)
endif()
if(NOT old STREQUAL text)
  file(WRITE "${OUTPUT}" "${text}")
endif()

# Run by the build: a file as bytes in a C source. INPUT, OUTPUT, NAME, HEADER.
file(READ "${INPUT}" hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "((0x..,){16})" "    \\1\n" bytes "${bytes}")
file(WRITE "${OUTPUT}"
  "#include \"${HEADER}\"\n\nconst char ${NAME}[] = {\n${bytes}0};\nconst size_t ${NAME}_len = sizeof ${NAME} - 1;\n")

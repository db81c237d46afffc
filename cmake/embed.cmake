# Writes FROM as a C array: cmake -DFROM=… -DINTO=… -DNAME=… -DHEADER=… -P embed.cmake
file(READ "${FROM}" hexadecimal HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hexadecimal}")
file(WRITE "${INTO}" "/* A file of the source as an array. */
#include \"${HEADER}\"

const unsigned char ${NAME}_text[] = {${bytes}};
const size_t ${NAME}_size = sizeof(${NAME}_text);
")

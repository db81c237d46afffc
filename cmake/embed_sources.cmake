# Writes several files as one table: cmake -DFOLDER=… -DFILES="a.lua b.js" -DNAME=… -DHEADER=… -DINTO=… -P
# embed_sources.cmake
separate_arguments(FILES)
set(arrays "")
set(rows "")
set(number 0)
foreach(name ${FILES})
  file(READ "${FOLDER}/${name}" hexadecimal HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hexadecimal}")
  string(APPEND arrays "static const unsigned char file_${number}[] = {${bytes}};\n")
  string(APPEND rows "    {\"${name}\", file_${number}, sizeof file_${number}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${INTO}" "/* Files of the source as arrays. */
#include \"${HEADER}\"

${arrays}
const struct embedded_source ${NAME}_sources[] = {
${rows}};
const size_t ${NAME}_source_count = sizeof ${NAME}_sources / sizeof *${NAME}_sources;
")

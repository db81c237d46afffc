# Writes several files as one table: cmake -DFOLDER=… -DFILES="a.lua b.js" -DINTO=… -P embed_sources.cmake
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
#include \"agent/browser/sources.h\"

${arrays}
const struct browser_source browser_sources[] = {
${rows}};
const size_t browser_source_count = sizeof browser_sources / sizeof *browser_sources;
")

# Writes a text that is another one whenever one of FILES is: cmake -DFILES=… -DVERSION=… -DINTO=… -DNAME=… -DHEADER=… -P identity.cmake
set(sums "")
foreach(file IN LISTS FILES)
  file(SHA256 "${file}" sum)
  string(APPEND sums "${sum}")
endforeach()
string(SHA256 sum "${sums}")
string(SUBSTRING "${sum}" 0 16 sum)
set(text "/* What this build is. */
#include \"${HEADER}\"

const char ${NAME}[] = \"${VERSION}-${sum}\";
")
file(WRITE "${INTO}" "${text}")

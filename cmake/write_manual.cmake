# Writes the pages of the manual, compressed as distributions want them, and the completion of the shells, all
# from the tables of the program: cmake -DTUTTI=… -DINTO=… -P write_manual.cmake
function(tutti_write path)
  execute_process(COMMAND ${TUTTI} ${ARGN} OUTPUT_FILE ${path} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${INTO}/man1)
file(MAKE_DIRECTORY ${INTO}/man1 ${INTO}/completion)
tutti_write(${INTO}/man1/tutti.1 help --man)
file(STRINGS ${INTO}/man1/tutti.1 rows REGEX "^\\.BR tutti\\\\-[a-z]+ \\(1\\)$")
foreach(row ${rows})
  string(REGEX REPLACE "^\\.BR tutti\\\\-([a-z]+) .*" "\\1" name "${row}")
  tutti_write(${INTO}/man1/tutti-${name}.1 help ${name} --man)
endforeach()
file(GLOB pages ${INTO}/man1/*.1)
execute_process(COMMAND gzip -9n ${pages} COMMAND_ERROR_IS_FATAL ANY)

foreach(shell bash zsh fish)
  tutti_write(${INTO}/completion/${shell} completion ${shell})
endforeach()

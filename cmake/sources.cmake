# tutti_embed_sources(NAME FILE…): writes the files of the folder lua as the table NAME_sources, declared in the
# folder's sources.h, into generated/NAME_sources.c.
function(tutti_embed_sources name)
  set(into ${CMAKE_CURRENT_BINARY_DIR}/generated/${name}_sources.c)
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/generated)
  file(RELATIVE_PATH header ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/sources.h)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/lua/ OUTPUT_VARIABLE paths)
  list(JOIN ARGN " " names)
  add_custom_command(
    OUTPUT ${into}
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${CMAKE_CURRENT_SOURCE_DIR}/lua -DFILES=${names} -DNAME=${name}
            -DHEADER=${header} -DINTO=${into} -P ${CMAKE_SOURCE_DIR}/cmake/embed_sources.cmake
    DEPENDS ${paths} ${CMAKE_SOURCE_DIR}/cmake/embed_sources.cmake
    VERBATIM)
endfunction()

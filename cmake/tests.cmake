# tutti_library(NAME SOURCES … LINKS …): a layer. What it links is its permission to include.
function(tutti_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS;PRIVATE_LINKS")
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC tutti_flags ${arg_LINKS} PRIVATE ${arg_PRIVATE_LINKS})
endfunction()

# tutti_unit_test(NAME SOURCES … LINKS …): a cmocka program that CTest runs under the label `unit`.
function(tutti_unit_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE tutti_flags PkgConfig::cmocka ${arg_LINKS})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 60)
endfunction()

# tutti_threaded(TEST …): unit tests that also run under ThreadSanitizer. Its build makes them, the program for the stories
# with the label `thread`, and nothing else.
add_custom_target(threaded)
function(tutti_threaded)
  foreach(name ${ARGN})
    set_tests_properties(${name} PROPERTIES LABELS "unit;thread")
    add_dependencies(threaded ${name})
  endforeach()
endfunction()

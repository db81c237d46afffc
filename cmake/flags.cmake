# The one place for warnings, sanitizers and hardening; every target of ours links tutti_flags.
add_library(tutti_flags INTERFACE)
target_include_directories(tutti_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(tutti_flags INTERFACE _GNU_SOURCE TUTTI_VERSION="${PROJECT_VERSION}")
target_compile_options(tutti_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -Wstrict-prototypes -Wmissing-prototypes
  -Wwrite-strings -Wformat=2 -Wvla -Walloca -fno-common -fno-strict-aliasing)

set(TUTTI_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")
if(TUTTI_SANITIZE)
  target_compile_options(tutti_flags INTERFACE -fsanitize=${TUTTI_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(tutti_flags INTERFACE -fsanitize=${TUTTI_SANITIZE})
  if(TUTTI_SANITIZE MATCHES "undefined")
    target_compile_options(tutti_flags INTERFACE -fno-sanitize-recover=undefined)
  endif()
endif()

if(TUTTI_FUZZ)
  target_compile_options(tutti_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(tutti_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

option(TUTTI_HARDEN "Hardening of the release build" OFF)
if(TUTTI_HARDEN)
  target_compile_options(tutti_flags INTERFACE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE)
  target_link_options(tutti_flags INTERFACE -pie -Wl,-z,relro,-z,now)
endif()

option(TUTTI_COVERAGE "Count which lines the tests run" OFF)
if(TUTTI_COVERAGE)
  target_compile_options(tutti_flags INTERFACE --coverage)
  # Agents may write there from behind their walls.
  target_compile_definitions(tutti_flags INTERFACE TUTTI_COUNTS_INTO="${CMAKE_BINARY_DIR}")
  target_link_options(tutti_flags INTERFACE --coverage)
endif()

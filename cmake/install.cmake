# What `cmake --install` puts where, and the Debian package made of it (deploy/package.sh).
include(GNUInstallDirs)

set(TUTTI_UNIT_DIR lib/systemd/system CACHE STRING "Where units of systemd go")
set(generated ${CMAKE_BINARY_DIR}/generated/install)

# The units name the program by its whole path. As they are in deploy/systemd/, they fit a prefix of /usr/local.
foreach(unit tutti-coordinator.service tutti-agent@.service)
  file(READ deploy/systemd/${unit} text)
  string(REPLACE /usr/local/bin/ ${CMAKE_INSTALL_FULL_BINDIR}/ text "${text}")
  file(CONFIGURE OUTPUT ${generated}/${unit} CONTENT "${text}" @ONLY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS deploy/systemd/${unit})
  install(FILES ${generated}/${unit} DESTINATION ${TUTTI_UNIT_DIR})
endforeach()

add_custom_command(
  OUTPUT ${generated}/manual.stamp
  COMMAND ${CMAKE_COMMAND} -DTUTTI=$<TARGET_FILE:tutti> -DINTO=${generated} -P ${CMAKE_SOURCE_DIR}/cmake/write_manual.cmake
  COMMAND ${CMAKE_COMMAND} -E touch ${generated}/manual.stamp
  DEPENDS tutti ${CMAKE_SOURCE_DIR}/cmake/write_manual.cmake
  VERBATIM)
add_custom_target(manual ALL DEPENDS ${generated}/manual.stamp)

install(TARGETS tutti RUNTIME)
install(DIRECTORY ${generated}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES ${generated}/completion/bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME tutti)
install(FILES ${generated}/completion/zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _tutti)
install(FILES ${generated}/completion/fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME tutti.fish)
install(FILES deploy/systemd/tutti.sysusers DESTINATION lib/sysusers.d RENAME tutti.conf)
install(FILES deploy/systemd/tutti.tmpfiles DESTINATION lib/tmpfiles.d RENAME tutti.conf)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY deploy/systemd/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/systemd
        FILES_MATCHING PATTERN *.conf PATTERN *.env PATTERN key.conf)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs FILES_MATCHING PATTERN *.md PATTERN openapi.yaml PATTERN *.png)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

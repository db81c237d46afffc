# The Debian package: what is installed below /usr, the configuration in /etc/tutti, and the scripts of deploy/debian.
option(TUTTI_PACKAGE "Install as the Debian package does, with files in /etc" OFF)
set(TUTTI_PACKAGE_VERSION ${PROJECT_VERSION} CACHE STRING "The package's version")
if(NOT TUTTI_PACKAGE)
  return()
endif()

file(MAKE_DIRECTORY ${generated})
file(READ deploy/debian/changelog text)
string(REPLACE "tutti (${PROJECT_VERSION})" "tutti (${TUTTI_PACKAGE_VERSION})" text "${text}")
file(WRITE ${generated}/changelog "${text}")
execute_process(COMMAND gzip -9nf ${generated}/changelog COMMAND_ERROR_IS_FATAL ANY)
install(FILES ${generated}/changelog.gz deploy/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES deploy/debian/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME tutti)
install(FILES deploy/systemd/agent.env deploy/systemd/coordinator.conf DESTINATION /etc/tutti)
install(FILES deploy/debian/needrestart.conf DESTINATION /etc/needrestart/conf.d RENAME tutti.conf)

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME tutti)
set(CPACK_PACKAGE_VERSION ${TUTTI_PACKAGE_VERSION})
set(CPACK_PACKAGE_CONTACT "tutti maintainers <maintainers@tutti.invalid>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "chromium-driver, firefox-esr")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/deploy/debian/postinst ${CMAKE_SOURCE_DIR}/deploy/debian/prerm
    ${CMAKE_SOURCE_DIR}/deploy/debian/postrm ${CMAKE_SOURCE_DIR}/deploy/debian/conffiles)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "load tester whose virtual users work together on many machines")
set(CPACK_PACKAGE_DESCRIPTION
    "Virtual users wait for each other, meet at barriers and share variables
across processes and hosts. A coordinator keeps what they agree on; agents
generate the load over HTTP, WebSocket, Socket.IO, TCP and real browsers,
scripted in Lua.")
include(CPack)

# `cmake --install`, after which find_package(porthouse) has porthouse::porthouse.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(NANOPB_HEADERS ${CMAKE_INSTALL_INCLUDEDIR}/porthouse/nanopb)
set(PACKAGE ${CMAKE_INSTALL_LIBDIR}/cmake/porthouse)

target_include_directories(porthouse SYSTEM INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}> $<INSTALL_INTERFACE:${NANOPB_HEADERS}>)
install(TARGETS porthouse EXPORT porthouse ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/ gen/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")
install(DIRECTORY ${PORTHOUSE_NANOPB}/ DESTINATION ${NANOPB_HEADERS} FILES_MATCHING PATTERN "*.h")

install(EXPORT porthouse NAMESPACE porthouse:: DESTINATION ${PACKAGE} FILE porthouse-config.cmake)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/porthouse-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/porthouse-config-version.cmake DESTINATION ${PACKAGE})

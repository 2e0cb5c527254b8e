# What the library is made of, for each of the builds that it can be a part of.
get_filename_component(PORTHOUSE_ROOT ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
set(PORTHOUSE_NANOPB ${PORTHOUSE_ROOT}/third_party/nanopb)

file(GLOB PORTHOUSE_SOURCES
  ${PORTHOUSE_ROOT}/src/*.c ${PORTHOUSE_ROOT}/src/*/*.c ${PORTHOUSE_ROOT}/gen/porthouse/v1/*.c)
set(PORTHOUSE_INCLUDES ${PORTHOUSE_ROOT}/include ${PORTHOUSE_ROOT}/gen)
set(PORTHOUSE_NANOPB_SOURCES ${PORTHOUSE_NANOPB}/pb_common.c ${PORTHOUSE_NANOPB}/pb_encode.c)
# The words that nanopb has for people, which nobody would read.
set(PORTHOUSE_DEFINITIONS PB_NO_ERRMSG)

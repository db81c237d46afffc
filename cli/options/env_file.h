/* The files of --env-file. */
#pragma once
#include "common/buffer.h"
#include "common/error.h"

/* Adds the variables of its lines. The error names file and line, and no value. */
MUST_CHECK bool env_file_add(const char *path, struct buffer *environment, struct error *error);

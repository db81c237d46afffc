/* A file that is written completely or not at all: under a temporary name beside it, then renamed. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

struct json_file;
/* To be opened before the run, so that a path that cannot be written is an error at once. "-" is standard
 * output. */
MUST_CHECK struct json_file *json_file_open(const char *path, struct error *error);
MUST_CHECK bool json_file_write(struct json_file *file, const char *text, struct error *error);
/* Without json_file_write no file is left. */
void json_file_close(struct json_file **file);

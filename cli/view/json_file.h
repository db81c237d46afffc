/* A file that is there whole or not at all: written beside its place under another name, then moved. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

struct json_file;
/* Opened before the run, so that a path that cannot be written is told at once. "-" is standard output. */
MUST_CHECK struct json_file *json_file_open(const char *path, struct error *error);
MUST_CHECK bool json_file_write(struct json_file *file, const char *text, struct error *error);
/* Without json_file_write nothing is left behind. */
void json_file_close(struct json_file **file);

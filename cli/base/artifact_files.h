/* Writes the artifacts of failed steps to files. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stddef.h>

struct artifact;

/* Creates the folder, including its parents, and writes one file per artifact. */
MUST_CHECK bool artifact_files_write(const struct artifact *artifacts, size_t count, const char *folder,
                                     struct error *error);
/* "tutti-artifacts/20261124-013000-4711": unique to this run. */
#define ARTIFACT_FOLDER_BYTES 80
void artifact_files_folder(char folder[ARTIFACT_FOLDER_BYTES]);

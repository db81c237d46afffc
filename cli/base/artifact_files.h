/* What failed steps have left, as files. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stddef.h>

struct artifact;

/* Makes the folder, with those above it, and writes one file for each artifact. */
MUST_CHECK bool artifact_files_write(const struct artifact *artifacts, size_t count, const char *folder,
                                     struct error *error);
/* "tutti-artifacts/20261124-013000-4711": of this run alone. */
#define ARTIFACT_FOLDER_BYTES 80
void artifact_files_folder(char folder[ARTIFACT_FOLDER_BYTES]);
